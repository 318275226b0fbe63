"""Building, mending and dropping one approximate index."""
