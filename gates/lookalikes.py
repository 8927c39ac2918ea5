"""Characters written to look like others: foreign letters, ringed digits, and similar Han.

The tables are our own, made by looking at the shapes. Letters and digits are mapped in every text;
of similar Han characters, each a word of its own, only disguises of a listed term are looked for.
"""

from collections.abc import Iterator

# Cyrillic and Greek letters that print like Latin ones.
_FOREIGN = {
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝ": "ABESIJKMHOPCTYXaesijopcyxhdqw",
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲ": "ABEZHIKMNOPTYXoc",
    "ıɑɡ": "iag",
}
LETTERS = {
    ord(foreign): latin
    for group, latins in _FOREIGN.items()
    for foreign, latin in zip(group, latins, strict=True)
}

# Han characters hardly anybody writes today but to look like another.
_RARE = {"国": "囯圀囻", "回": "囬囘", "员": "贠", "告": "吿", "教": "敎", "人": "亻亽", "口": "囗",
         "长": "镸", "本": "夲", "世": "丗", "四": "亖", "日": "曰", "函": "凾"}  # fmt: skip
LETTERS |= {ord(rare): char for char, group in _RARE.items() for rare in group}

# Ringed, bracketed, raised and lowered digits: a list mark when alone, a disguise in a row.
_RINGED = ("⓪①②③④⑤⑥⑦⑧⑨", "⓿❶❷❸❹❺❻❼❽❾", "🄋➀➁➂➃➄➅➆➇➈", "🄌➊➋➌➍➎➏➐➑➒", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉")
DIGITS = {ord(ring): str(value) for group in _RINGED for value, ring in enumerate(group)}
DIGITS |= {ord(mark): str(value) for value, mark in enumerate("⑴⑵⑶⑷⑸⑹⑺⑻⑼", 1)}

_SIMILAR = (
    " 人入八 大太犬夭夫 土士工干千于 日曰目 未末 己已巳 田由甲申 王玉壬 木本术"
    " 口囗 力刀 几儿 又叉 午牛 贝见 白自 治冶 免兔 今令 台合苔 员贠圆园"
    " 湾弯弩 国囯圀囻 独烛浊 政攻 府俯腑 统流 陈阵 港巷 苏办 朝潮嘲 北比 群郡"
    " 岛鸟乌 回囬 民氏 检捡验 战占站 委季 副付 常尝 法怯 权杈 带滞 路露 略咯"
    " 林枺 原愿 教敎 族旅簇 长伥 审宙 计汁 署暑 院阮 全金 会佥 立位 府付"
    " 尖尘 阁搁 斯厮 群裙 成戍戊 经径 合盒 组姐 织炽 伊尹 兰蓝 主住 义叉"
    " 摩磨 梭唆 撒撤 尼泥 阿啊 拉垃 伯百 兵乒 残贱 废发 低底 价阶 网罔 扫归"
    " 码玛 下卞 单草 罪最 犯氾 被波 告吿 席度 大夫 亲新 密蜜 内肉 部陪 资咨"
    " 料科 公么 开幵 关并"
)


def _similar() -> dict[str, str]:
    table: dict[str, str] = {}
    for group in _SIMILAR.split():
        for char in group:
            others = table.get(char, "") + group.replace(char, "")
            table[char] = "".join(dict.fromkeys(others))
    return table


SIMILAR = _similar()


def disguised(term: str) -> Iterator[str]:
    """The term with one of its characters changed for a similar one; none for short terms."""
    if len(term) < 4:
        return
    for at, char in enumerate(term):
        for other in SIMILAR.get(char, ""):
            yield term[:at] + other + term[at + 1 :]
