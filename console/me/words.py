"""What happened to one's own absence, sign-ins, tokens and devices."""

DONE = {
    "alarms_set": "提醒方式已保存，请发一条测试提醒。",
    "alarms_worked": "测试提醒已送到，每一种都通。",
    "alarms_failed": "测试提醒已发，有的没有送到，原因写在下面。",
    "away": "已登记，期间由代理人审核。",
    "passkey_made": "已登记，等另一位管理员确认后就能使用。",
    "passkey_confirmed": "已确认，这台设备可以用来签名了。",
    "passkey_revoked": "已停用，以前的签名仍然有效。",
    "identity_bound": "已绑定，等另一位管理员确认后就能用来登录。",
    "identity_confirmed": "已确认，本人可以用它登录了。",
    "identity_unbound": "已解除绑定，它不能再登录。",
    "session": "那一处登录已退出。",
    "sessions": "其他登录都已退出，在那里领取的稿件也已放开。",
    "tokens": "接口令牌都已作废。",
    "recovery_used": "您用了一个恢复码登录，已记入台账。它不能再用；不是本人用的，请马上改密码。",
    "second_removed": "动态码已去掉，以后登录不再问。",
    "password": "密码已改，其他登录和接口令牌都已失效。",
}
