"""Slips of the thumb and of the ear in the words of subscriptions: 憋发了, 取消定阅, 别发拉. Pure.

Only what is no word of its own is read as the word it sounds like: 退定金 and 订月饼 stay. What a
citizen typed is changed for nobody else: questions are looked for and kept as they were written.
"""

import re

_END = r"(?=[啊呀吧谢，,。.！!～~\s]|$)"
_ASKS = "(?:^|(?<=[消退要想不我部有请改先帮个把的]))"
_MONTHS = "(?![饼子嫂票租卡底初供薪])"
_SLIPS = tuple(
    (re.compile(words), meant)
    for words, meant in (
        ("[嫑覅]", "不要"),
        ("(?:憋|蹩|鳖|瘪)(?=[再在给发推订送来老])", "别"),
        ("(?<=别)[法伐](?=了|给|消息)", "发"),
        (r"(?<=[发推送订退收停关要])(?:[拉叻乐勒嘞咯喽啰]|le?)" + _END, "了"),
        ("(?<=[不别莫勿要甭])在(?=[给发推送来收接订])", "再"),
        (f"[定丁钉顶盯叮][阅悦]|(?<!签)订[月悦越]{_MONTHS}|{_ASKS}定[月越]{_MONTHS}", "订阅"),
        ("退[丁钉顶盯叮]|[推腿]订|退定(?=订?[了吧啦，,。.]|$)", "退订"),
        ("取[销肖削俏]|去消(?!费)", "取消"),
        ("推[宋松颂诵]|堆送", "推送"),
        ("[占站斩赞]停(?=推|发|订|一|几|吧|了|$)|暂[廷亭庭听挺]", "暂停"),
        ("恢[夏付副富服]|灰复", "恢复"),
        (f"收[倒稻]{_END}|收[倒稻](?=了|消息|推送|你们|任何)", "收到"),
        ("就[叶页液爷](?!爷)|救业|久业", "就业"),
        ("(?<!取)消[废肺]|[销肖]费(?!税)", "消费"),
        ("招[骋娉]|召聘", "招聘"),
        ("教[玉誉]|叫育", "教育"),
        ("正策|政册|证策", "政策"),
        ("(?<!取)消[惜吸]|[销肖]息", "消息"),
        ("每[州洲]", "每周"),
        (r"^t[\s.]+d$", "td"),
        (r"^[a-z0]\s*(?=退订)|(?<=退订)\s*[a-z]$", ""),
    )
)
_PINYIN = {
    "tuiding": "退订",
    "quxiao": "取消",
    "quxiaodingyue": "取消订阅",
    "quanbutuiding": "全部退订",
    "buyaofale": "不要发了",
    "buyaozaifale": "不要再发了",
    "biefale": "别发了",
    "biezaifale": "别再发了",
    "tingzhituisong": "停止推送",
    "zanting": "暂停",
    "huifutuisong": "恢复推送",
    "wodedingyue": "我的订阅",
    "dingyuejiuye": "订阅就业",
    "dingyuexiaofei": "订阅消费",
}
"""What is typed on a keyboard without signs: the whole of a message, and no more."""
_LATIN = re.compile(r"[a-z\s]+")


def mended(plain: str) -> str:
    """Text of one spelling (half width, lower case, simplified) with such slips set right."""
    if _LATIN.fullmatch(plain):
        return _PINYIN.get("".join(plain.split()), plain if plain.split() != ["t", "d"] else "td")
    for words, meant in _SLIPS:
        plain = words.sub(meant, plain)
    return plain
