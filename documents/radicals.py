"""Radicals that stand in a file instead of characters: a browser's PDF is full of them.

The compatibility forms of Unicode mend the Kangxi radicals, of the supplement only two.
"""

import unicodedata

_SUPPLEMENT = (
    "⺁⺅⺈⺉⺊⺌⺍⺎⺏⺐⺒⺓⺖⺘⺙⺛⺜⺝⺞⺟⺠⺡⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺲⺶⺷⺹"
    "⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻐⻑⻒⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻟⻠⻡⻢⻣⻤"
    "⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳"
)
_CHARACTERS = (
    "厂亻刀刂卜小小兀尣尢巳幺忄扌攵旡日月歺母民氵灬爫爫丬牛犭王疋目示礻竹糹纟罒羊羊耂"
    "肀聿肉臼艹艹艹虎衤覀西见角角讠贝足车辶辶辶钅長镸长门阝雨青韦页风飞食飠饣首马骨鬼"
    "鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟"
)
RADICALS = {
    **dict(zip(map(ord, _SUPPLEMENT), _CHARACTERS, strict=True)),
    **{point: unicodedata.normalize("NFKC", chr(point)) for point in range(0x2F00, 0x2FD6)},
}
"""The code point of a radical to the character it looks like."""


def without_radicals(text: str) -> str:
    """The text with characters in the place of radicals, as long as before."""
    return text if text.isascii() else text.translate(RADICALS)
