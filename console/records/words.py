"""What happened to an incident."""

DONE = {
    "closed": "事件已处理。",
}
