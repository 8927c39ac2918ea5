"""Where rows, blobs and short-lived keys live; knows nothing of what they mean."""
