"""All designs of an array, enumerated and evaluated together."""
