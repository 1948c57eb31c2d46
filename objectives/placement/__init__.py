"""Tensors of a step on memory tiers: gaps between accesses, plans that fill them, and a replay that checks plans."""
