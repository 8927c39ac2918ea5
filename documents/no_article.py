"""Pages that answer 200 and hold no article: errors, captchas, sign-in, redirections."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

ERROR_PAGE = "报错页"
_LONG = 600  # characters of a text that no such page has
_SHORT = 160  # of one that says little besides
_LINE = 60
_NOTICE = re.compile(r"(?:公告|通告|通知|公示|意见|办法|规定|方案|简报|提示|提醒|答记者问|解读)$")
# The words a page of that kind leads with: its title, a heading, or all there is.
_LEADS = (
    (
        ERROR_PAGE,
        r"^(?:错误\s*)?(?:4[01]\d|50\d)\b",
        r"\b(?:404|403|50[0-3])\s*(?:错误|页面|not found|forbidden|error|bad)",
        r"not found|forbidden|access denied|bad gateway|(?:service|server) (?:unavailable|error)",
        r"(?:页面|网页|网址|文件|信息|内容|文章|资源)[^，。]{0,8}(?:不存在|已失效|已下线|未找到|走丢)",
        r"(?:页面|网页|网址|文件|信息|内容|文章|资源)[^，。]{0,8}(?:已(?:被)?删除|找不到)",
        r"(?:找不到|无法访问|未找到|无法显示|没有找到)[^，。]{0,8}(?:页面|网页|网站|文件|资源|内容)",
        r"系统(?:繁忙|错误|异常|(?:正在)?维护中|正在维护|升级中)|服务器(?:错误|繁忙|异常|内部错误)",
        r"网站(?:维护|升级|建设)中|(?:站点|网站)(?:已|暂时)关闭|链接已过期|运行时错误",
        r"出错了|请求(?:被拒绝|错误|失败|异常)|参数错误|非法(?:请求|访问|参数)",
        r"该(?:文章?|内容|信息)已被[^，。]{0,8}删除|此内容因违规无法查看",
    ),
    (
        "验证页",
        r"(?:安全|人机|访问|滑动|行为|身份)(?:验证|校验)|环境异常|拖动滑块|我不是机器人",
        r"(?:输入|填写|刷新|图形)[^，。]{0,6}验证码|验证码(?:错误|不正确|已过期|有误)",
        r"(?:访问|操作)(?:过于|太)频繁|(?:访问|请求)(?:已)?被(?:拦截|阻断)|防火墙|(?:拦截|防护)提示",
        r"请(?:完成|进行|拖动|按住|点击)[^，。]{0,12}(?:验证|滑块)|浏览器安全检查",
        r"captcha|are you (?:a )?(?:human|robot)|checking your browser|just a moment",
    ),
    (
        "登录页",
        r"^(?:用户|会员|账号|统一身份认证|单点|系统|后台|管理员|扫码|短信|密码)*(?:登录|登陆)"
        r"(?:页面?|界面|系统|中心|平台)?$",
        r"统一身份认证|登录后(?:才|方)?(?:可|能)?(?:查看|访问|阅读)|(?:忘记密码|立即注册|记住密码)",
        r"(?:请|您还没有|您尚未)(?:您?先)?(?:登录|登陆)(?:系统|账号)?[。！!]?$",
        r"(?:请|您还没有|您尚未)(?:您?先)?(?:登录|登陆)后(?:再)?(?:查看|访问|阅读|继续|操作)",
        r"会话(?:已)?(?:过期|超时)|^(?:sign|log) ?in\b",
    ),
    (
        "跳转页",
        r"(?:正在|页面|自动|即将)[^，。]{0,6}(?:跳转|转向|重定向)|跳转中|请稍(?:候|后)",
        r"(?:点击|点这里|点此)[^，。]{0,8}(?:跳转|进入|继续)|(?:正在|努力)?加载中",
        r"redirecting|moved (?:permanently|temporarily)|object moved|enable javascript",
        r"(?:请|需要|必须)(?:您)?(?:启用|开启|打开|允许)\s*(?:浏览器的?)?\s*javascript",
    ),
)
_KINDS = [(name, re.compile("|".join(words), re.IGNORECASE)) for name, *words in _LEADS]
_REFRESH = re.compile(r"^\s*[0-9]{1,2}\s*[;,]?\s*url\s*=", re.I)


def why_no_article(tree: HtmlElement, title: str, text: str) -> str:
    """What kind of page this is instead of an article; empty for an article.

    `text` is what was taken for the body. Only short pages are judged: an article about 验证码
    says more than its title.
    """
    size = len(text)
    if size > _LONG or _NOTICE.search(title):
        return ""
    lines = [line for line in text.split("\n") if line]
    heads = [title, *_headings(tree)]
    for kind, words in _KINDS:
        # One word of a short notice is no proof; its title is, and a page that says nothing else.
        led = any(words.search(one) for one in heads if one)
        if led and (size < _SHORT or any(words.search(line) for line in lines[:3])):
            return kind
        alone = size < _SHORT and 0 < len(lines) <= 3 and len(lines[0]) < _LINE
        if alone and words.search(lines[0]):
            return kind
    if size < _LINE and _asks_password(tree):
        return "登录页"
    if size < _SHORT and _sends_on(tree):
        return "跳转页"
    return ""


def _headings(tree: HtmlElement) -> Iterator[str]:
    for node in tree.iter("title", "h1", "h2"):
        text = _clean(str(node.text_content()[:_LONG]))
        if len(text) <= _LINE:
            yield text


def _clean(text: str) -> str:
    return " ".join(text.split())


def _asks_password(tree: HtmlElement) -> bool:
    return any((one.get("type") or "").lower() == "password" for one in tree.iter("input"))


def _sends_on(tree: HtmlElement) -> bool:
    return any(
        (one.get("http-equiv") or "").lower() == "refresh"
        and _REFRESH.match(_clean(one.get("content") or ""))
        for one in tree.iter("meta")
    )
