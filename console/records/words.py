"""What happened to an incident."""

DONE = {
    "grave_reported": "已上报，时限开始计算，监督和管理人员已收到提醒。",
    "closed": "事件已处理。",
}
