"""政策库: what is in force."""
