"""What may be chosen of memory tiers."""
