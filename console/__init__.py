"""The staff console and the JSON API: two faces of the same functions."""
