"""The revisions, each frozen: it imports no live code."""
