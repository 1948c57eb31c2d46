"""Tensors of a training step on memory tiers: what a fast and a slow memory, and a policy between them, are worth."""
