"""A polled column to its entries: feeds, list pages, sitemaps."""
