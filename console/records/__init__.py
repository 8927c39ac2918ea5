"""事件 and 台账: what went wrong, what happened."""
