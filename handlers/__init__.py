"""What the bot says back to a citizen."""
