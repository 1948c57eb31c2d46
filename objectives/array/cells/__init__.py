"""What differs between kinds of cells: bitlines, reading, writing."""
