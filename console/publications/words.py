"""What happened to a publication."""

DONE = {
    "settled": "已记录您的确认。",
}
