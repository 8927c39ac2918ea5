"""What happened to a consultation."""

DONE = {
    "consultation_proposed": "已提出，等待另一位有权的人批准。",
    "opinions_decided": "处理结果和理由已记录。",
}
