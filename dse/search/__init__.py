"""Searches: NVSim's, Algorithm 1, and the exact one."""
