"""Settings from the environment, the clock, and the starting values officials decide."""
