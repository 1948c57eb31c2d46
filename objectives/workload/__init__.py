"""What a neural network asks of on-chip memory: layers, their GEMMs and tensors, traffic per memory level, energy.

The chain is: a network's layers (`network`), the kernels they become (`lowering`) with the tensors these touch
(`kernel`), transactions at the L2 cache (`traffic`), transactions at the DRAM for any L2 capacity (`dram`), and
energy, time and their product for a cache (`energy`, `objective`). All of it is modelled; counts that a profiler
took on a GPU come in through `profiler` and stay labelled as such.
"""
