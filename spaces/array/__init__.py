"""How an array may be cut into banks, mats, subarrays and multiplexers, with which wires."""
