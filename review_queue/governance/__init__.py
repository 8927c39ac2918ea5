"""Levels, rules and people as kinds of the one change that two people make."""
