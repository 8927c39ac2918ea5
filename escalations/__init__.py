"""Questions in a person's hands, with deadlines."""
