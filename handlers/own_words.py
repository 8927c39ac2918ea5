"""Words about one's own data: 关掉精准推送, 把我的标签删了, 导出我的个人信息. Pure.

A text means one of these acts only when it says nothing else: an act and its object in either
order, with words of courtesy around them.
"""

import re

from handlers.spelling import mended

_SOFT = (
    "请你们|请您|麻烦|请|帮我|帮忙|给我|我想要|我想|我要求|我申请|我希望|我要|要求|申请|我的意思是|能不能|可以|想|把|将|一下|"
    "吧|了|呀|啊|谢谢|全部|所有"
)
_STARTS = re.compile(rf"^(?:{_SOFT}|我(?!的))+")
_ENDS = re.compile(rf"(?:{_SOFT})+$")
_BLANKS = re.compile(r"[\s，,。.！!、“”\"]+")

_PRECISE = (
    "(?:我的)?(?:精准推送|精准推荐|精准投放|精准服务|个性化推送|个性化推荐|个性化内容|个性化服务|"
    "个性化|智能推荐|定向推送|按(?:我的)?标签推送|按(?:我的)?标签推荐)(?:功能|服务)?"
)
_OFF = (
    "(?:关闭|关停|关掉|关上|关|取消|停止|停用|停掉|停|拒绝|退出|"
    "不要再用|不要用|不要|不用|不需要|不想要|别用|别)"
)
_ON = "(?:恢复|重新打开|重新开启|打开|开启|启用|开通|继续)"
_TAGS = "(?:我的)?(?:用户|个人|兴趣|推送|订阅|画像)?(?:标签|画像|特征)"
_DELETE = "(?:删除|删掉|删|清除|清空|清掉|去掉|移除|抹掉|撤销)"
_DATA = "(?:我的|我|本人的?)?(?:全部|所有)?(?:个人)?(?:数据|信息|资料|个人信息)"
_OWN = "(?:我|本人|自己)的?(?:全部|所有)?(?:个人)?(?:数据|信息|资料|记录|聊天记录|个人信息)"
_ACCOUNT = "(?:我的?)?(?:账号|帐号|账户|帐户|用户)"
_EXPORT = "(?:导出|下载|拷贝|复制|备份|调取|查阅|查看)"
_SAVED = (
    "(?:你们|您们|你|贵单位)?(?:都|还)?(?:保存|存|收集|记录|留)(?:了|着)?"
    "(?:我的?|关于我的?)?(?:哪些|什么)(?:数据|信息|资料|个人信息|东西)?"
    "|(?:你们|您们|你|贵单位)(?:都|还)?(?:有|掌握|知道)(?:了|着)?(?:关于)?我的?(?:哪些|什么)"
    "(?:数据|信息|资料|个人信息|东西)?"
)
_LOOK = "(?:看一?看|看|查一?查|查看|查询|查|列一?列|列出|列)?(?:一?下)?"
_HELD = (
    f"{_LOOK}(?:我|俺|本人)(?:自己)?(?:现在|目前|都|已经|之前|到底|一共|总共)*(?:有|订|订阅|关注|收)"
    "(?:阅)?(?:了|过|的)?(?:是|有)?(?:些)?(?:哪些|哪几个|几个|几项|什么|啥|多少)"
    "(?:订阅|推送|主题|消息|内容|政策)?|"
    f"{_LOOK}(?:我|俺|本人)(?:自己)?(?:现在|目前)?的?(?:订阅|推送)(?:情况|列表|内容|记录)?"
    "(?:(?:有|是)(?:哪些|什么|啥))?"
)
"""What somebody asks to see of their subscriptions."""
_UNTAGGED = (
    "(?:不要|别|不许|不准|不想|停止)(?:再|你们)*(?:根据|按照?|用)(?:我的?)?(?:个人)?"
    "(?:标签|画像|情况|信息|资料|身份)(?:来|给我)*(?:推送|推荐|推|发)(?:消息)?|"
    "(?:不要|别|不许|不准)(?:再)?给我(?:贴|打|加)(?:什么)?标签"
)


def _both(act: str, thing: str) -> str:
    return f"{act}{thing}|{thing}(?:全部|全|都)?{act}"


_ACTS = tuple(
    (re.compile(words), key)
    for words, key in (
        (
            "(?:停止推送|取消(?:全部|所有)?(?:订阅|关注|推送)|退订|退出|停止)(?:并且?|和|同时|然后|再)*"
            f"(?:{_both(_DELETE, _DATA)}|注销(?:账号|账户)?)|(?:行使)?删除权",
            "forget",
        ),
        (_both(_OFF, _PRECISE), "tags"),
        (_both(_ON, _PRECISE), "precise"),
        (_both(_DELETE, _TAGS), "untag"),
        (
            f"{_both(_DELETE, _OWN)}|(?:忘记|忘掉|忘了)我|{_both('(?:注销|销毁)', _ACCOUNT)}|销号",
            "forget",
        ),
        (f"{_both(_EXPORT, _DATA)}|{_SAVED}", "export"),
        (_HELD, "mine"),
        (_UNTAGGED, "tags"),
    )
)


def own_key(text: str) -> str:
    """The key of the act these words mean, or an empty text."""
    plain = mended(_BLANKS.sub("", text).rstrip("?？"))
    if len(plain) > 30:
        return ""
    for words in dict.fromkeys((plain, _ENDS.sub("", _STARTS.sub("", plain, count=1)))):
        for pattern, key in _ACTS:
            if pattern.fullmatch(words):
                return key
    return ""
