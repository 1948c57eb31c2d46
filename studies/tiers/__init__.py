"""Questions about memory tiers: what TM-Training's abstract can mean, and which memories are worth their money."""
