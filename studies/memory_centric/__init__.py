"""Studies of memory-centric systems (Kwon and Rhu, MICRO 2018)."""
