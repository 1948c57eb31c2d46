"""Calibration: parameters of technology and cells that bring the searched caches closest to a table of figures."""
