"""Quantities of technology and cells that may be other than given, and the best cache for given values of them."""
