"""NVSim's files: configurations and design tables."""
