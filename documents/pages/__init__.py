"""From a page as it came to title, blocks, pictures, dates and the facts of a policy."""
