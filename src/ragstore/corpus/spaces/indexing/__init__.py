"""Approximate indexes of embedding spaces, and how good they are."""
