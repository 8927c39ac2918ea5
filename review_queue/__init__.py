"""Items, revisions, gates, levels, decisions, and the one way out."""
