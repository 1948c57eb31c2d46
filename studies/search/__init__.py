"""Studies of searchers: how fast, how far from the optimum."""
