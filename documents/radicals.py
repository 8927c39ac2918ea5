"""Radicals that stand in a file instead of characters: a browser's PDF is full of them.

The compatibility forms of Unicode mend the Kangxi radicals, of the supplement only two. The rest is
EquivalentUnifiedIdeograph.txt of Unicode, but for six whose equivalent no font of an office shows:
they are given the character they are a part of.
"""

import unicodedata

_SUPPLEMENT = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩"
    "⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑"
    "⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳"
)
_CHARACTERS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王"
    "疋目示礻竹糹纟罓罒㓁冗𦉫羊羊𦍋耂肀聿肉臼艹艹艹虎衤覀西见角角讠贝足车辶辶辶邑钅長"
    "镸长门𨸏阝雨青韦页风飞食𩙿飠饣首马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
RADICALS = {
    **dict(zip(map(ord, _SUPPLEMENT), _CHARACTERS, strict=True)),
    **{point: unicodedata.normalize("NFKC", chr(point)) for point in range(0x2F00, 0x2FD6)},
}
"""The code point of a radical to the character it looks like."""


def without_radicals(text: str) -> str:
    """The text with characters in the place of radicals, as long as before."""
    return text if text.isascii() else text.translate(RADICALS)
