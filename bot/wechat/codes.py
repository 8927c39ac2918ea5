"""WeChat's codes: what each means, in words (docs/platforms.md#W40). No other file compares one.

`errcode` of a call by its number; `publish_status_<n>` and `mass_<n>` are the ends that the
platform tells of what it had taken (W16, W20); the two of our own wire are in every table.
"""

from collections.abc import Mapping

from bot.codes import NO_ANSWER, NOT_SENT
from bot.meaning import Listed, Meaning
from bot.wechat.ends import ENDS

STALE = "stale"
"""Hint: the token may only be old; a new one is fetched once."""
MEDIA = "media"
"""Hint: what was uploaded is not there any more; it is uploaded once more."""
DAY = "day"
"""Hint: the day's number of this call is used up, and not only this minute's."""
BLOCKS = "blocks"
"""Hint: a place of the body is refused, and which one is not said (bot/wechat/refused.py)."""
NONE = "none"
"""Hint: there is no such thing on the platform."""
SENT = "sent"
"""Hint: the platform has this very send already."""
ADDRESS = "address"
"""Hint: the platform does not know the address we call from."""
ONE = "one"
"""Hint: of a call about many people it is about one: no follower, or with twenty tags already."""
FULL = "full"
"""Hint: a tag with more than 100,000 people cannot be deleted, and is in no way."""
RIGHT = "right"
"""Hint: the account may not use this interface; others it may."""
TEMPLATE = "template"
"""Hint: it lies in a notice template, and in nobody who is sent it."""
KEYS = "keys"
"""Hint: AppID or AppSecret."""
NO_COMMENT, NO_REPLY, REPLIED = "no_comment", "no_reply", "replied"
"""Hints: what was to go is not there, or another reply is."""

_RETRY, _BACK_OFF, _WAIT, _DROP, _MUTE, _STOP, _REVIEW, _PERSON, _UNKNOWN = Meaning
_SETTINGS = "微信公众平台 → 设置与开发 → 基本配置"
_CALLED_WRONG = (
    "平台不认本系统的调用方式",
    "多半是本系统或平台的接口变了，不是稿件的问题",
    "请把代码告诉系统维护人员，改好后再发",
)
_TOKEN_REFUSED = ("账号凭证失效", "换过一次新令牌，平台仍不认", "请管理员核对 AppID 和密钥")
_NO_RIGHT = "账号没有这个接口的权限"
_LIMITED = ("账号功能被平台限制", "平台认为账号有违规或异常", "请管理员登录公众平台处理")
_PICTURE = ("平台不收这张图片", "格式、大小或内容不合平台的规定", "请换一张图片，重新送审")
_NOT_THERE = (
    "平台说没有这一篇，可能已被人删除",
    "要找的编号在平台上查不到",
    "请登录微信公众平台核对",
)

_CALLS: Mapping[str, Listed] = {
    NOT_SENT: Listed(
        _RETRY, "没有连上微信接口", "网络不通，平台没有收到", "会自动再试，一直不通请查网络"
    ),
    NO_ANSWER: Listed(
        _UNKNOWN,
        "平台没有应答，不能确定是否成功",
        "已经发给平台，回答没有传回来",
        "请登录微信公众平台核对",
    ),
    "-1": Listed(_RETRY, "微信系统繁忙", "平台一时处理不过来", "不用处理，会自动再试"),
    # credentials
    "40001": Listed(_STOP, *_TOKEN_REFUSED, hint=STALE),
    "40014": Listed(_STOP, *_TOKEN_REFUSED, hint=STALE),
    "42001": Listed(_STOP, *_TOKEN_REFUSED, hint=STALE),
    "40013": Listed(
        _STOP,
        "平台不认这个 AppID",
        "AppID 抄错，或不是这个公众号的",
        f"请从 {_SETTINGS} 重新复制",
        hint=KEYS,
    ),
    "40125": Listed(
        _STOP,
        "账号凭证失效，AppSecret 不对",
        "密钥抄错，或在平台上重置过",
        "请在同一页重置 AppSecret，再用 shenfa account secrets 更换",
        hint=KEYS,
    ),
    "40243": Listed(
        _STOP,
        "AppSecret 已被冻结",
        "有人在微信开发者平台冻结了密钥",
        "请管理员到微信开发者平台解冻",
        hint=KEYS,
    ),
    "40164": Listed(
        _STOP,
        "服务器地址不在 IP 白名单",
        "公众平台只许名单里的地址取令牌",
        f"请在 {_SETTINGS} → IP白名单 里添加",
        hint=ADDRESS,
    ),
    "61004": Listed(
        _STOP,
        "服务器地址不在 IP 白名单",
        "公众平台只许名单里的地址取令牌",
        f"请在 {_SETTINGS} → IP白名单 里添加",
        hint=ADDRESS,
    ),
    "89501": Listed(
        _STOP,
        "本服务器的地址正等公众号管理员确认",
        "平台要管理员在手机上同意这次调用",
        "请管理员在手机上同意",
    ),
    "89503": Listed(
        _STOP,
        "这次调用要公众号管理员确认",
        "平台要管理员在手机上同意这次调用",
        "请管理员在手机上同意",
    ),
    "89506": Listed(
        _STOP,
        "管理员两次拒绝了本服务器的地址",
        "平台因此 24 小时内不再让它调用",
        "请与管理员核对，明天再试",
    ),
    "89507": Listed(
        _STOP,
        "管理员拒绝了本服务器的地址",
        "平台因此 1 小时内不再让它调用",
        "请与管理员核对，一小时后再试",
    ),
    "50004": Listed(
        _STOP, "平台不让这个账号取令牌", "账号可能因违规或冻结过而受限", "请管理员登录公众平台处理"
    ),
    "50007": Listed(_STOP, "账号已被冻结", "平台冻结了这个公众号", "请管理员登录公众平台处理"),
    # rights of the account
    "48001": Listed(
        _STOP, _NO_RIGHT, "账号未认证，或没有开通这个接口", "请管理员在公众平台核对", hint=RIGHT
    ),
    "48003": Listed(_STOP, _NO_RIGHT, "管理员还没有同意群发协议", "请管理员在公众平台核对"),
    "48008": Listed(_STOP, _NO_RIGHT, "账号不能发这一类消息", "请管理员在公众平台核对"),
    "50001": Listed(_STOP, _NO_RIGHT, "账号没有授权这个接口", "请管理员在公众平台核对", hint=RIGHT),
    "48004": Listed(_STOP, *_LIMITED),
    "50002": Listed(_STOP, *_LIMITED),
    "53500": Listed(
        _STOP, "账号的发布功能被平台封禁", "平台认为账号有违规", "请管理员登录公众平台处理"
    ),
    "53501": Listed(
        _STOP, "账号发布得太频繁，被平台拦下", "平台限制了账号的发布", "请管理员登录公众平台处理"
    ),
    "65400": Listed(
        _PERSON,
        "公众平台里没有开通客服功能",
        "没有开通就不能发客服消息",
        "请先在公众平台开通客服功能",
    ),
    # limits
    "45009": Listed(
        _BACK_OFF,
        "当日接口次数已用完",
        "平台每天每个接口有次数上限",
        "不用处理，每小时自动再试",
        wait=3600.0,
        hint=DAY,
    ),
    "45011": Listed(
        _BACK_OFF, "接口调用太频繁", "平台每分钟有次数上限", "不用处理，一分钟后自动再试", wait=60.0
    ),
    "45056": Listed(
        _PERSON,
        "公众号的标签已满",
        "微信每个公众号最多 100 个标签",
        "请在公众平台删去不用的标签",
    ),
    "45057": Listed(
        _PERSON,
        "标签下的人太多，不能删除",
        "超过 10 万人的标签微信不让删",
        "不用处理",
        hint=FULL,
    ),
    "45028": Listed(
        _PERSON, "群发次数已用完", "在公众平台上也群发过，平台算在一起", "请改期或由管理员调整"
    ),
    "45065": Listed(
        _UNKNOWN,
        "平台说这次群发已经提交过",
        "上一次的回答没有传回来，平台没有给出它的编号",
        "请登录微信公众平台核对",
        hint=SENT,
    ),
    "45066": Listed(
        _RETRY,
        "群发重试太快",
        "同一次群发一分钟内只能提交一次",
        "不用处理，一分钟后自动再试",
        wait=60.0,
    ),
    # one person
    "40003": Listed(
        _DROP, "找不到对方，无法送达", "对方没有关注过，或不是本公众号的用户", "不用处理", hint=ONE
    ),
    "43004": Listed(_DROP, "对方没有关注本账号", "对方取消了关注", "不用处理", hint=ONE),
    "43019": Listed(
        _DROP, "对方在本账号的黑名单里", "有人在公众平台把对方拉黑", "要恢复请在公众平台移出黑名单"
    ),
    "43101": Listed(_MUTE, "对方在微信里拒收推送", "对方自己关掉了", "不用处理"),
    "45059": Listed(
        _PERSON,
        "有人身上的标签已满",
        "微信每人最多 20 个标签",
        "不用处理，群发时略过这个人",
        hint=ONE,
    ),
    "49003": Listed(_DROP, "对方不是本公众号的用户", "编号属于别的公众号", "不用处理", hint=ONE),
    "46004": Listed(_DROP, "平台上没有这个用户", "对方的微信号已不存在", "不用处理"),
    "48002": Listed(_DROP, "对方关闭了接收消息", "对方自己关掉了", "不用处理"),
    "50005": Listed(_DROP, "对方没有关注本账号", "对方取消了关注", "不用处理"),
    "45015": Listed(
        _WAIT,
        "不在平台允许的时限内，等对方下次来信",
        "微信只许在对方来信后 48 小时内发",
        "不用处理",
    ),
    "45047": Listed(
        _WAIT, "已发满平台允许的条数，等对方下次来信", "对方每来信一次，微信只许发 5 条", "不用处理"
    ),
    # comments
    "88000": Listed(
        _PERSON, "账号没有留言权限", "平台没有给这个公众号开通留言", "请管理员在公众平台核对"
    ),
    "88001": Listed(_PERSON, *_NOT_THERE, hint=NONE),
    "88002": Listed(
        _PERSON, "平台限制了这篇文章的留言", "平台认为文章有敏感信息", "请登录微信公众平台核对"
    ),
    "88003": Listed(_PERSON, "这篇文章的精选留言已满", "平台限制精选的条数", "请先取消一条精选"),
    "88004": Listed(_PERSON, "读者已删除这条留言，不能精选", "读者自己删了", "不用处理"),
    "88005": Listed(
        _PERSON,
        "这条留言已有回复",
        "平台上每条留言只有一条回复",
        "请先删除原来的回复",
        hint=REPLIED,
    ),
    "88007": Listed(_PERSON, "回复太长或是空的", "平台限制回复的长度", "请改写后重新提出"),
    "88008": Listed(
        _PERSON, "平台上已没有这条留言", "读者或后台已删除", "不用处理", hint=NO_COMMENT
    ),
    "88009": Listed(_PERSON, "平台上已没有这条回复", "后台已删除", "不用处理", hint=NO_REPLY),
    "88010": Listed(_PERSON, *_CALLED_WRONG),
    # the text and its pictures
    "87014": Listed(_REVIEW, "平台认为内容有风险", "平台的内容检查没有通过", "请退回重新审核"),
    "45166": Listed(
        _REVIEW,
        "平台不接受正文里的内容",
        "正文有平台不许的链接或写法",
        "请改写后重新送审",
        hint=BLOCKS,
    ),
    "40155": Listed(
        _REVIEW, "正文里有其他公众号的主页链接", "微信不许放这种链接", "请去掉链接，重新送审"
    ),
    "44003": Listed(_REVIEW, "图文消息没有内容", "平台不收空的图文", "请补上正文，重新送审"),
    "44004": Listed(_REVIEW, "消息没有文字", "平台不收空的消息", "请补上文字，重新送审"),
    "45002": Listed(_REVIEW, "内容太长", "超过平台一条消息的长度", "请改短，重新送审"),
    "45003": Listed(_REVIEW, "标题太长", "微信的标题最多 32 个字", "请改短标题，重新送审"),
    "45004": Listed(_REVIEW, "摘要太长", "微信的摘要最多 128 个字", "请改短摘要，重新送审"),
    "45005": Listed(
        _REVIEW, "原文链接太长", "微信的原文链接最多 1 KB", "请换短一些的链接，重新送审"
    ),
    "45008": Listed(_REVIEW, "图文篇数太多", "微信一次最多发 8 篇", "请拿出几篇，重新送审"),
    "45110": Listed(_REVIEW, "作者名太长", "微信的作者名最多 16 个字", "请改短作者名，重新送审"),
    "53503": Listed(
        _REVIEW,
        "草稿没有通过平台的发布检查",
        "平台在发布前检查内容",
        "请登录公众平台看草稿的提示，改好重新送审",
    ),
    "53504": Listed(
        _PERSON,
        "平台要人在后台使用这份草稿",
        "这份草稿不许由接口发布",
        "请登录公众平台，在草稿箱里发布",
    ),
    "53505": Listed(
        _PERSON,
        "平台要人先在后台保存这份草稿",
        "这份草稿要人手动保存过才能发布",
        "请登录公众平台保存草稿后重新发送",
    ),
    **{
        code: Listed(_REVIEW, *_PICTURE)
        for code in (
            "40004",
            "40005",
            "40006",
            "40009",
            "40012",
            "40137",
            "41005",
            "44001",
            "45001",
        )
    },
    # what lies on the platform
    "40007": Listed(
        _RETRY,
        "平台上的草稿或素材已被删除",
        "有人在公众平台后台删了",
        "不用处理，重新上传后再发",
        wait=5.0,
        hint=MEDIA,
    ),
    "40035": Listed(_PERSON, *_NOT_THERE, hint=NONE),
    "40059": Listed(_PERSON, *_NOT_THERE, hint=NONE),
    "53502": Listed(_PERSON, *_NOT_THERE, hint=NONE),
    "53600": Listed(_PERSON, *_NOT_THERE, hint=NONE),
    "40037": Listed(
        _PERSON,
        "平台上没有这个通知模板",
        "模板在公众平台被删除，或账号设置里抄错",
        "请核对账号设置 notices，或在公众平台重新添加模板",
        hint=TEMPLATE,
    ),
    "47003": Listed(
        _PERSON,
        "通知的字段与模板不符",
        "账号设置 notices 的 fields 与公众平台的模板不一样",
        "请照公众平台的模板改正账号设置",
        hint=TEMPLATE,
    ),
    "46003": Listed(
        _PERSON,
        "公众号没有菜单",
        "菜单没有建过，或被人删了",
        "请运行 shenfa account menu",
        hint=NONE,
    ),
    # how we call
    **{
        code: Listed(_PERSON, *_CALLED_WRONG)
        for code in (
            *("40002", "40008", "40033", "40038", "40066", "41001", "41002", "41004", "43001"),
            *("43002", "43003", "44002", "45067", "47001", "61500", "61501"),
        )
    },
    "61503": Listed(
        _RETRY, "平台的统计数还没有算好", "前一天的数每天 8 点以后才有", "不用处理", wait=3600.0
    ),
}

CODES: Mapping[str, Listed] = {**_CALLS, **ENDS}


def listed(code: int | str) -> Listed | None:
    """What the table says of a code; None for one it has not."""
    return CODES.get(str(code))


def hinted(code: int | str) -> str:
    """The word by which our own folder knows a code; empty for all others."""
    found = listed(code)
    return found.hint if found is not None else ""
