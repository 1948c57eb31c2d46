"""Sensitivity and uncertainty: what parameters do to the best design."""
