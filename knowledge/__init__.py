"""Policies and clauses in force, search, and answers quoted word for word."""
