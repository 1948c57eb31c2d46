"""What is given: technologies, cells, and the switches of NVSim's behavior."""
