"""发布: what went where, and what a person says about the unknown."""
