"""Embedding spaces: one model's vectors for one collection, and their indexes."""
