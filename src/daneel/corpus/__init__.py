"""Raw files to clean documents: read, clean, deduplicate, split, describe."""
