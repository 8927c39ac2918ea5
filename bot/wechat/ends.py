"""Codes of the ends that WeChat tells of what it had taken (W16, W20): a part of its table."""

from collections.abc import Mapping

from bot.meaning import Listed, Meaning

COPYRIGHT = "copyright"
"""Hint: the event of the send says which of its articles it lies in."""

_RISKY = "请按原因修改稿件，重新送审"

ENDS: Mapping[str, Listed] = {
    "publish_status_2": Listed(
        Meaning.REVIEW, "原创声明未通过", "平台认为不是原创", "请取得授权或改用转载，修改后重新送审"
    ),
    "publish_status_3": Listed(
        Meaning.PERSON,
        "平台发布失败，没有说明原因",
        "平台只说失败",
        "请登录微信公众平台核对，再重新发送",
    ),
    "publish_status_4": Listed(
        Meaning.REVIEW, "平台审核不通过", "平台的内容审核没有通过", "请修改稿件，重新送审"
    ),
    "publish_status_5": Listed(
        Meaning.PERSON,
        "发布后已被全部删除",
        "有人在公众平台删了",
        "请查明是谁删除的，需要更正时另写更正稿",
    ),
    "publish_status_6": Listed(
        Meaning.PERSON,
        "发布后被平台封禁",
        "平台认为文章违规",
        "请登录微信公众平台查看原因，按提示申诉或处理",
    ),
    "mass_10001": Listed(Meaning.REVIEW, "平台认为涉嫌广告", "平台的内容审核", _RISKY),
    "mass_20001": Listed(Meaning.REVIEW, "平台认为涉嫌政治", "平台的内容审核", _RISKY),
    "mass_20002": Listed(Meaning.REVIEW, "平台认为涉嫌色情", "平台的内容审核", _RISKY),
    "mass_20004": Listed(Meaning.REVIEW, "平台认为涉嫌社会类违规", "平台的内容审核", _RISKY),
    "mass_20006": Listed(Meaning.REVIEW, "平台认为涉嫌违法犯罪", "平台的内容审核", _RISKY),
    "mass_20008": Listed(Meaning.REVIEW, "平台认为涉嫌欺诈", "平台的内容审核", _RISKY),
    "mass_20013": Listed(Meaning.REVIEW, "平台认为涉嫌版权", "平台的内容审核", _RISKY),
    "mass_21000": Listed(Meaning.REVIEW, "平台认为涉嫌其他违规", "平台的内容审核", _RISKY),
    "mass_22000": Listed(Meaning.REVIEW, "平台认为涉嫌互推（互相宣传）", "平台的内容审核", _RISKY),
    "mass_30001": Listed(
        Meaning.PERSON, "原创校验出现系统错误", "公众号设置为判为转载就不群发", "请稍后重新发送"
    ),
    "mass_30002": Listed(
        Meaning.REVIEW,
        "原创校验判定不能群发",
        "文章与别人声明原创的相同",
        "请取得原作者授权或改用转载，修改后重新送审",
        hint=COPYRIGHT,
    ),
    "mass_30003": Listed(
        Meaning.REVIEW,
        "原创校验判定为转载",
        "公众号设置为判为转载就不群发",
        "请按转载补齐来源，修改后重新送审",
        hint=COPYRIGHT,
    ),
    "mass_40001": Listed(
        Meaning.PERSON,
        "公众号管理员拒绝了这次群发",
        "群发保护要管理员同意",
        "请与管理员核对后重新发送",
    ),
    "mass_40002": Listed(
        Meaning.PERSON,
        "公众号管理员 30 分钟内没有确认，群发超时",
        "群发保护要管理员同意",
        "请约好管理员后重新发送",
    ),
    "mass_send_fail": Listed(
        Meaning.PERSON,
        "平台没有说明原因",
        "平台只说失败",
        "请登录微信公众平台核对原因，再决定修改或重新发送",
    ),
    "mass_delete": Listed(
        Meaning.PERSON,
        "这次群发已在公众平台被删除",
        "有人在公众平台删了",
        "请登录微信公众平台核对是谁删除的；需要更正时另写更正稿",
    ),
}
