"""Systolic arrays: folds of matrix products in three dataflows, and what they move to and from buffers and DRAM."""
