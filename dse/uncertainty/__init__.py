"""Sensitivity and uncertainty: what parameters of technology and cells do to the best cache."""
