"""What happened to an item of the work plan."""

DONE = {
    "plan_given": "工作要点已分解到台账，原来有的没有重复。",
    "plan_told": "反馈已记录。",
}
