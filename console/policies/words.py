"""What happened to a policy."""

DONE = {
    "policy_approved": "已批准，政策变更已生效。",
    "policy_rejected": "已记录不批准，政策没有变更。",
}
