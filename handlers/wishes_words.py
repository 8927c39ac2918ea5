"""The words of a wish: what says that somebody wants to get something, how often, and nothing."""

STRONG = ("订阅", "关注", "subscribe")
"""Who says one of these wants to subscribe, whatever to."""
_INTENT = (
    "想收到 想收 想接收 要收到 要接收 希望收到 给我推送 给我推 给我发 发给我 推送给我 推给我 推送 "
    "想订 要订 订一下 订个 帮我订 请订"
)
INTENT = tuple(sorted((*_INTENT.split(), *STRONG), key=len, reverse=True))
"""Longest first."""

_FREQUENCY = {
    "daily": (
        "每天推送一次 每天推一次 每天发一次 每天一次 每日一次 一天推送一次 一天推一次 一天发一次 "
        "一天一次 每日推送 每天推送 按天 按日 日报 天天 每天 每日"
    ),
    "weekly": (
        "每周推送一次 每周推一次 每周发一次 每周一次 一周推送一次 一周推一次 一周发一次 一周一次 "
        "每星期一次 每个星期一次 每周汇总 每周推送 每星期 每个星期 每礼拜 每个礼拜 一星期一次 "
        "一个星期一次 按周 周报 每周"
    ),
    "immediate": (
        "有了就发 一有就发 一有消息就发 即时推送 实时推送 随时推送 立即推送 第一时间 即时 实时 "
        "随时 立即 马上 立刻"
    ),
}
FREQUENCY_WORDS = tuple(
    sorted(
        ((word, name) for name, words in _FREQUENCY.items() for word in words.split()),
        key=lambda row: len(row[0]),
        reverse=True,
    )
)
"""Words and the frequency they say, longest first."""

_MANY = r"(?:[一二两三四五六七八九十半几]{1,2}|\d{1,3})"
_UNIT = r"(?:小时|钟头|天|日|周|星期|礼拜|月|季度|季|年)"
_DAYS = "[一二三四五六日天]"
_ONCE = "(?=(?:给我)?(?:推送?|发来?|来)?一次)"
REFUSED_RHYTHM = (
    r"(?:不要|别|不用|不想)(?:再|总是|老是|总|老)?(?:每天|天天|每日|每周|即时)(?:都|地)?"
    r"(?:给我)?(?:推送?|发)?(?:消息)?[了啦]?|(?:消息|推送|信息|发得?)?太(?:多|频繁|烦)[了啦]?"
)
"""How often somebody does not want it; what they want instead stands beside it."""
OTHER_RHYTHM = (
    r"(?:能不能|可不可以|可以)?(?:少|别太频繁)(?:给我)?(?:发|推送?)(?:一点|点|几次|些)?(?:消息)?[吗么]?$",
    r"(?:能不能|可不可以)?(?:发|推送?)(?:得)?少一?点[吗么]?|频率低一?点",
    r"(?:早上|中午|晚上|夜里|半夜|工作日)(?:就|都|请)?(?:不要|别|不用)再?(?:给我)?(?:发|推送?|打扰)",
    r"(?:每个?|一个?)(?:天|日|周|星期|礼拜)(?:推送?|发来?)?(?:[二两三四五六七八九十几]|\d+)[次条]",
    rf"(?P<known>每个?(?:周|星期|礼拜)){_DAYS}(?:[、和]?{_DAYS})*(?!次)",
    rf"每逢?隔?{_MANY}?个?半?(?:小时|钟头|月|季度|季|年)(?:\d{{1,2}}[日号])?",
    rf"每隔?{_MANY}个?半?{_UNIT}",
    rf"隔{_MANY}?个?{_UNIT}",
    rf"(?:[一二两三四五六七八九十]|\d{{1,3}})个?(?:小时|钟头|月|季度|季|年){_ONCE}",
    rf"(?:[二两三四五六七八九十半]|\d{{1,3}})个?半?个?{_UNIT}{_ONCE}",
    r"按(?:小时|月|季度|季|年)|月报|(?:只在)?(?:工作日|周末|节假日)",
    r"(?:早上|上午|中午|下午|晚上|早晨|傍晚|夜里|早|晚)?(?:\d{1,2}|[一二两三四五六七八九十]{1,3})[点时]半?",
    r"早上|上午|中午|下午|晚上|早晨|傍晚|夜里",
)
"""How often or when, as nobody can choose it: 每月, 隔天, 每周三, 每天早上八点."""
RHYTHM_ALONE = frozenset(
    ("每天", "每日", "天天", "每周", "每星期", "每个星期", "每礼拜", "每个礼拜", "即时", "实时")
)
"""Of the words of a rhythm, those by which one is meant also when nothing else is said."""

EXCEPT = (
    r"除了?(?P<a>[^，,。；;]{1,12}?)(?:之外|以外|外)的?",
    r"(?:但是?|可是?|就是|就)?(?:不要|别给我发|别发|别推|不想要|不想收|不收|不含|不包括|不包含|"
    r"除了|排除|去掉|不需要|不看|不订)(?P<b>[^，,。；;]{1,14})",
    r"(?P<c>[^，,。；;]{1,10}?)的?(?:就|我)?(?:不要|不用|不需要|不订|不看)(?:了|啦)?(?=[，,。；;]|$)",
)
"""What somebody does not want of what they wish for."""
TRADES = ("行业", "产业", "企业", "业")
"""Behind a name: the trade is meant, and not the topic."""

PAID = "金券款贴奖钱"
"""What ends the name of something that is paid out."""


PROFILE = (
    *("我是", "我在", "本人是", "本人在", "我今年", "我住"),
    *("我家在", "我们是", "我们在", "我属于", "我开"),
)

_PLAIN = (
    "还有 还 以 有 我们 我的 我 本人 本 请你 请 帮我 帮忙 帮 麻烦 你们 你好 您好 您 你 给我 给 能 "
    "可以 想要 希望 想 要 需要 就 只要 只 也 都 再 另外 同时 方面的 方面 相关的 相关 有关的 有关 "
    "关于 这类 这方面 这个 类的 类 领域 行业 文种 主题 地区 人群 政策 措施 消息 信息 资讯 新闻 "
    "内容 文件 通知 动态 文章 东西 新 最新 所有的 所有 全部 一些 各类 各种 的 了 吧 啊 呀 哦 哈 "
    "嘛 地 得 一下 一个 个 谢谢 感谢 收到 接收 订阅 关注 推送 推 发 发送 收 通知我 提醒 提醒我 "
    "频率 改成 改为 改到 改 换成 换为 换 调成 调整为 调整成 调整 设成 设置为 设为 变成 变为 一次 "
    "就行 就好 即可 行 好 帮我把 把 将 我是 是 在 住在 住 位于 家在 家 今年 去年 刚 刚刚 毕业 "
    "毕业的 应届 的人 人 名 一名 位 一位 属于 开 开了 做 从事 工作 目前 现在 现 对 针对 面向 适合 "
    "本地 当地 以后 今后 来 下 和 与 适用于 适用 办的 里 上 生意 店 小店 经营 老板 户 服务 业 订 "
    "看 看到 了解 加上 增加 添加 并 且 而且 里面 当中 中"
)
PLAIN = tuple(sorted(dict.fromkeys(_PLAIN.split()), key=len, reverse=True))
"""Words that say nothing of what is wanted, longest first."""
