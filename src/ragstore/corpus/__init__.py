"""Collections, documents, chunks, embeddings, search."""
