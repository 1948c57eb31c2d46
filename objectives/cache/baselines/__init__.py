"""Baselines of a cache: NVSim's own search, and DeepNVM++'s Algorithm 1."""
