"""The circuit model of caches and memory macros, equal to NVSim's (commit 6334d00) to the digit."""
