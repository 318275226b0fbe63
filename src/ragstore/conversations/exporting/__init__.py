"""Reading out conversations as lines of JSON."""
