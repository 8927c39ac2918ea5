"""任务: what somebody has to settle by a deadline."""
