"""What a GPU makes of a neural network: kernels, the traffic of its L2 cache and of its DRAM, profilers' counts.

The chain is: a network's layers (`dse.objectives.network`), the kernels they become (`lowering`) with the tensors
these touch (`kernel`), transactions at the L2 cache (`traffic`), and transactions at the DRAM for any L2 capacity
(`dram`). All of it is modelled; counts that a profiler took on a GPU come in through `profiler` and stay labelled as
such.
"""
