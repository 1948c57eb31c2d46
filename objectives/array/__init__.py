"""The memory array, from the transistor to the bank: NVSim's circuit model as equations over batches."""
