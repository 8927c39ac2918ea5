"""稿件: the list, one item with its facts, drafting, review, its way out."""
