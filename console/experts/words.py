"""What happened to a question put to a department."""

DONE = {
    "expert_withdrawn": "已收回链接，对方不能再答复。",
}
