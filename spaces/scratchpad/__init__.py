"""What may be chosen of a scratchpad."""
