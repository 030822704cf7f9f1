"""`bands`: chosen bands and indices out of many."""
