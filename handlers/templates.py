"""Reply templates: loaded, checked, and filled with fields from one closed list.

`load_templates(path)` reads config/replies.yaml; `parse_templates(data)` takes the same data from
the database. `Templates.text(name, **fields)` fills one. TemplateError names template and field.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FIELDS = """
account count date due facet issuer label link list number phone problem reason subscription
ticket title validity version
"""
_TEMPLATES = """
welcome help menu menu_read menu_talk menu_serve latest latest_none accounts ask_hint why
why_none person_opened person_waiting subscribe_topics subscribed subscribe_unknown
subscribe_refused sensitive_consent choose_group choose_region choose_frequency changed mine
mine_none left_one left_all left_none tags_deleted forget_confirm forgotten cancelled stale
stopped slow_down unsupported clarify not_found out_of_scope emergency abuse quote_head
quote_several quote_instead quote_at_date quote_source quote_cut
policy_ended policy_successor
"""
FIELDS, NEEDED = frozenset(_FIELDS.split()), frozenset(_TEMPLATES.split())
MAX_TEXT = 600


class TemplateError(ValueError):
    """A template cannot be used; the text names template, field and remedy."""


@dataclass(frozen=True)
class Templates:
    """Checked templates by name."""

    texts: Mapping[str, str]

    def text(self, name: str, **fields: str) -> str:
        """The filled text; a missing, extra or unknown field is an error, never a blank."""
        if name not in self.texts:
            raise TemplateError(f"没有回复模板 {name}：请在 replies.yaml 中添加")
        used = _fields(name, self.texts[name])
        if used != set(fields):
            wrong = "、".join(sorted(used ^ set(fields)))
            raise TemplateError(f"回复模板 {name} 的字段与调用不一致：{wrong}")
        return self.texts[name].format_map(fields)


def parse_templates(data: Any) -> Templates:
    """Check the parsed YAML: every needed template, only known names and fields."""
    texts = data.get("templates") if isinstance(data, dict) else None
    if not isinstance(texts, dict):
        raise TemplateError("缺少 templates：应写成 名称: 文本")
    if missing := sorted(NEEDED - set(texts)):
        raise TemplateError(f"缺少回复模板 {missing[0]}：请补上")
    if unknown := sorted(set(texts) - NEEDED):
        raise TemplateError(f"不认识的回复模板 {unknown[0]}：请删去或改名")
    for name, text in texts.items():
        if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
            raise TemplateError(f"回复模板 {name} 应为 1 至 {MAX_TEXT} 字的文本")
        if stray := sorted(_fields(name, text) - FIELDS):
            raise TemplateError(f"回复模板 {name} 用了未登记的字段 {stray[0]}：请改用已有字段")
    return Templates(dict(texts))


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
