"""Memory-centric systems: accelerators that stash what training keeps in memory outside them (MC-DLA)."""
