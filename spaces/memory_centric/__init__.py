"""Spaces of memory-centric systems."""
