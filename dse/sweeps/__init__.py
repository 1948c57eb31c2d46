"""Sweeps: one question asked of every case of a grid, by many processes or machines, each answer written when done."""
