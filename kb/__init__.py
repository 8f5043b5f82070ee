"""Help-center content: articles, versions, passages, facts, freshness."""
