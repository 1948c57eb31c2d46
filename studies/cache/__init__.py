"""Studies of caches: what decides, how surely, and why."""
