"""What happened to a change, a person or a switch."""

DONE = {
    "change_approved": "已批准，变更已生效并记入台账。",
    "change_rejected": "已记录不批准，什么都没有改变。",
    "change_withdrawn": "已收回，什么都没有改变。",
    "deactivated": "已停用，这个人的登录和令牌都已失效。",
    "false_alarm": "已记下这是误报，规则页能看到次数。",
    "handed_over": "已记下由谁接手。",
    "leaving": "已开始离岗交接。",
    "stayed": "已收回离岗交接，这个人照常工作；已经改掉的值班表、负责人不会自动改回。",
    "left": "已办完离岗，这个人的登录和令牌都已失效。",
    "person_confirmed": "已确认是本人，这个人现在可以审核和办理。",
    "template_withdrawn": "已停用，并记入台账；机器人不再说这一条。",
    "session_ended": "那一处登录已退出，并记入台账。",
    "switched": "开关已改变，并记入台账。",
}
