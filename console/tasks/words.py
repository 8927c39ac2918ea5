"""What happened to a task."""

DONE = {
    "task_made": "任务已下达。",
    "task_settled": "任务已处理，理由已记录。",
}
