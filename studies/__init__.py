"""Studies: questions answered with spaces, objectives and searches, one module each."""
