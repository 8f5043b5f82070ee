"""Search over what is in force: embeddings, vector index, lexical index, their fusion."""
