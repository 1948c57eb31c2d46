"""Studies that reproduce DeepNVM++ (arXiv 2012.04559)."""
