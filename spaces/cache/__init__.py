"""What may be chosen of a cache: memory, capacity, access type, and both arrays."""
