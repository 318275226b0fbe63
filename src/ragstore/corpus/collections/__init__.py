"""Named sets of documents: made, read, analysed."""
