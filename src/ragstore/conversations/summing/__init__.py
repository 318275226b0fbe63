"""What was used, how it was rated, and what was cited: sums over many conversations."""
