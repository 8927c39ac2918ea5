"""Reply templates: checked, and filled with fields from one closed list.

`load_templates(path)` reads config/replies.yaml, with which an office starts; what is in force is
in handlers/released.py. `Templates.text(name, **fields)` fills one. TemplateError names template
and field.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from config.texts import FieldFault

_TEMPLATES = """
welcome 关注后的欢迎语 account
help 使用说明
menu 主菜单
menu_read 菜单：发布解读
menu_talk 菜单：政民互动
menu_serve 菜单：办事服务
latest 最近发布 list
latest_none 最近发布（没有时）
accounts 官方账号名单 list
ask_hint 怎样提问
why 为什么收到 reason
why_none 为什么收到（没有推送过）
person_opened 已转值班人员 due phone ticket
person_late 平台的回复时限早于答复时间 due phone
person_notice 可以同意一次答复通知 link
answer_waits 通知里的一句：有答复等对方来信 ticket
person_write 请补一条文字，才能答复
person_waiting 已收到补充，等待值班人员 due ticket
ticket_open 另有咨询单在办 due ticket
number_kept 已留下回电号码
looking_mute 正在查询，账号不能另发消息时
looking 正在查询，答复稍后发来
handed_over 已转热线办理 phone ticket
rate_ask 请对人工答复评价 ticket
rated 已收到评价
rated_low 已收到差评 phone
rated_before 已评价过
subscribe_topics 选择订阅主题和告知 version
subscribed 订阅成功 subscription
subscribe_unknown 没有这个主题
missed_policy 没有办理：书名号里的文件
missed_place 没有听懂：地方
missed_industry 没有听懂：行业
missed_rhythm 没有办理：别的推送频率
missed_except 没有办理：不要的一部分
missed_person 只能为自己订阅
missed_pair 两个主题分别订阅
missed_other 没有听懂：其他
arrived_at 扫码或链接进来的欢迎语 account
arrived 扫码订阅一个主题和告知 facet version
arrived_gone 扫码的主题已调整
browse_topics 浏览政策：选择主题
browse_parts 浏览政策：选择一类 facet
browse_none 浏览政策（没有时） facet
browse_found 浏览政策：一类的文件 count facet
browse_document 浏览政策：一份文件 date issuer link number title validity
firm_industry 企业情况：行业
firm_size 企业情况：规模
firm_region 企业情况：地区
consent_changed 订阅告知有新版本 version
consent_kept 已同意新版告知 version
followed 关注一份文件 subscription
follow_none 没有找到要关注的文件
follow_which 名称相近的几份文件
follow_gone 要关注的文件已不再有效 date number title validity
follow_amended 关注的文件有修改 date number title
follow_ended 关注的文件已不再有效 date number title validity
follow_closing 关注的文件申请快截止 date number title
follow_foot 关注通知的结尾
now_holds 现在的全部订阅 list
which_place 同名的地方
value_split 分成了几类的选项
profile_offer 按本人情况提议订阅 version
overtaken 订阅晚于后来的消息
subscribe_refused 订阅没有成功 problem
sensitive_consent 敏感标签的单独同意 facet
choose_group 选择人群
choose_region 选择地区
choose_topic 选择主题中的一类
choose_industry 选择行业
choose_kind 选择文种
choose_frequency 选择推送频率
rhythm_offer 可选的推送频率
changed 订阅已修改 subscription
mine 我的订阅 list
mine_none 我的订阅（没有时）
left_one 退订一项 subscription
left_all 全部退订 count
leave_unsure 没有听准是不是要退订 list
left_none 没有可退的订阅
paused 已暂停推送 date list
resumed 已恢复推送 list
precise_off 已关闭精准推送 list
precise_off_none 没有可关闭的精准推送
precise_on 已恢复精准推送 list
tags_deleted 已删除我的标签
data_menu 我的数据
exported 导出我的数据 count list
forget_confirm 删除信息前的确认
forgotten 已删除信息
cancelled 没有改动
stale 选项已失效
stopped 自动答复暂停 phone
slow_down 发送太快
unsupported 只能读文字
sent_picture 收到图片或视频
sent_voice 收到语音
sent_place 收到位置
sent_card 收到名片
sent_file 收到文件
clarify 请补充问题
may_fit_of 可能有关的几条，都出自一份文件 title
may_fit 没有把握，列出可能有关的条文
not_found 没有可引用的原文
out_of_scope 不在答复范围
greeting 问候
thanks 道谢
who_are_you 问是谁 account
hours 问值班时间 due list phone
refuse_own 不答：个人的办理情况
refuse_future 不答：还没有的政策
refuse_verdict 不答：个案的是非
refuse_chat 不答：闲聊
refuse_orders 不答：要求改变规则
emergency 遇险提示
danger_self_harm 遇险：不想活了
danger_fire 遇险：着火
danger_gas 遇险：燃气、一氧化碳
danger_electric 遇险：触电、漏电
danger_water 遇险：落水、洪水
danger_illness 遇险：急病、重伤
danger_home 遇险：家庭暴力
danger_missing 遇险：走失
danger_threat 遇险：受到威胁
danger_fraud 遇险：正在被骗
danger_told 遇险：已通知值班人员 ticket
abuse 文明交流提示
quote_head 引用原文的开头
quote_several 引用多份政策的开头
policy_ended 政策已不再有效 date number title validity
policy_successor 现行文件 link number title
quote_instead 现行规定的开头
quote_at_date 当时有效的开头 date
quote_source 引文的出处 date issuer label link number title validity
quote_cut 节录说明
entry_head 审核过的问答的开头
notice_head 更正告知的开头
part_head 一条消息里的第几个问题 count
part_open 其中没有答上的问题 count
opinion_none 意见征集：没有正在进行的
opinion_which 意见征集：选择一项
opinion_ask 意见征集：请写意见 date title
opinion_long 意见征集：写得太长
opinion_got 意见征集：收到意见 due ticket title
opinion_back 意见征集：已撤回意见
opinion_over 意见征集：已经结束 date due title
opinion_told 意见征集：结果已公布 link title
apply_door 依申请公开怎样申请 phone
unavailable 暂时不能答复
"""
_ROWS = [line.split() for line in _TEMPLATES.strip().split("\n")]
LABELS = {name: label for name, label, *_ in _ROWS}
"""Every template by name, and what people call it."""
FIELDS = {name: frozenset(fields) for name, _, *fields in _ROWS}
"""The fields the program fills in each of them: exactly these, never what somebody typed."""
_PIECES = """
quote_head quote_several quote_instead quote_at_date quote_source quote_cut
policy_ended policy_successor
"""
TOLD = "danger_told"
"""Said beside the line of a danger, and left out where it cannot be filled."""
PIECES = frozenset(_PIECES.split())
"""Parts of an answer that quotes a policy: nothing can stand in their place."""
MAX_TEXT = 600


class TemplateError(FieldFault):
    """A template cannot be used; the text names template, field and remedy."""


class Texts(Protocol):
    """What handlers say their words with."""

    def text(self, name: str, **fields: str) -> str:
        """The filled text."""
        ...

    def usable(self, *names: str) -> bool:
        """Whether every one of these templates may be used now."""
        ...


@dataclass(frozen=True)
class Templates:
    """Checked templates by name."""

    texts: Mapping[str, str]

    def usable(self, *names: str) -> bool:
        """See Texts."""
        return set(names) <= set(self.texts)

    def text(self, name: str, **fields: str) -> str:
        """The filled text; a missing, extra or unknown field is an error, never a blank."""
        if name not in self.texts:
            raise TemplateError(f"没有回复模板 {name}：请在 replies.yaml 中添加")
        return filled(name, self.texts[name], fields)


def filled(name: str, text: str, fields: Mapping[str, str]) -> str:
    """A template's text with its fields; a missing, extra or unknown field is an error."""
    used = _fields(name, text)
    if used != set(fields):
        wrong = "、".join(sorted(used ^ set(fields)))
        raise TemplateError(f"回复模板 {name} 的字段与调用不一致：{wrong}")
    return text.format_map(fields)


def parse_templates(data: Any) -> Templates:
    """Check the parsed YAML: every needed template, only known names and fields."""
    texts = data.get("templates") if isinstance(data, dict) else None
    if not isinstance(texts, dict):
        raise TemplateError("缺少 templates：应写成 名称: 文本")
    if missing := sorted(set(FIELDS) - set(texts)):
        raise TemplateError(f"缺少回复模板 {missing[0]}：请补上")
    if unknown := sorted(set(texts) - set(FIELDS)):
        raise TemplateError(f"不认识的回复模板 {unknown[0]}：请删去或改名")
    for name, text in texts.items():
        check_template(name, text)
    return Templates(dict(texts))


def check_template(name: str, text: Any) -> None:
    """A known name, a text of a length that can be sent, fields from the list; TemplateError."""
    if name not in FIELDS:
        raise TemplateError(f"不认识的回复模板 {name}：请从回复模板页起草")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
        raise TemplateError(f"回复模板 {name} 应为 1 至 {MAX_TEXT} 字的文本")
    used = _fields(name, text)
    if stray := sorted(used - FIELDS[name]):
        raise TemplateError(f"回复模板 {name} 用了未登记的字段 {stray[0]}：请改用已有字段")
    if missing := sorted(FIELDS[name] - used):
        raise TemplateError(f"回复模板 {name} 缺少字段 {{{missing[0]}}}：请写进文本")


def load_templates(path: Path) -> Templates:
    """Read a template file. Raises TemplateError naming the file."""
    try:
        return parse_templates(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TemplateError(f"{path.name}：无法读取，请检查路径和缩进") from error
    except TemplateError as error:
        raise TemplateError(f"{path.name}：{error}") from error


def _fields(name: str, text: str) -> set[str]:
    try:
        parts = [*string.Formatter().parse(text)]
    except ValueError as error:
        raise TemplateError(f"回复模板 {name} 的花括号不成对：请检查") from error
    for _, field, form, conversion in parts:
        if field is not None and (form or conversion or not field.isidentifier()):
            raise TemplateError(f"回复模板 {name} 的字段 {field or '（空）'} 只能写成 {{名称}}")
    return {field for _, field, _, _ in parts if field is not None}
