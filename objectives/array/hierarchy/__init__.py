"""How circuits form subarrays, mats, banks and arrays."""
