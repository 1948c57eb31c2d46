"""What may be chosen, in integers: a choice knows nothing of its cost."""
