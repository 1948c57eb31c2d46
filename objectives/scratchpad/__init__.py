"""A scratchpad for training: buffers of unreliable memory, and what a network tolerates of them."""
