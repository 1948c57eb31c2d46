"""Questions about scratchpads: how bits switch, what networks tolerate, which memories to mix."""
