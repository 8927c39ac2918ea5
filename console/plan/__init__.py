"""排期: seven days of every account, what is left of its numbers, and the times of silence."""
