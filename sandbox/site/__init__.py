"""A small government site of the invented 青禾县, written for this sandbox."""
