"""What runs an office beside its rooms: making it, its keys, its jobs, backup and examination."""
