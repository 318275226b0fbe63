"""Context windows: what of a conversation a model is given."""
