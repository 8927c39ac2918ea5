"""值班: questions that wait for a person."""
