"""Reply templates: what is missing, unknown or wrongly filled is named."""

from pathlib import Path

import pytest
import yaml

from handlers.templates import MAX_TEXT, TemplateError, load_templates, parse_templates

FILE = Path(__file__).parents[2] / "config" / "replies.yaml"


@pytest.fixture
def data():
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_the_starting_templates_load_and_fill() -> None:
    assert "共 3 项" in load_templates(FILE).text("left_all", count="3")


def test_no_template_shouts() -> None:
    assert not set("!！") & set(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("welcome", "您好 {openid}", "openid"),
        ("welcome", "您好 {account.__class__}", "account.__class__"),
        ("welcome", "您好 {account!r}", "account"),
        ("welcome", "您好 {", "花括号"),
        ("welcome", "", "welcome"),
        ("welcome", "长" * (MAX_TEXT + 1), "welcome"),
        ("surprise", "多余的模板", "surprise"),
    ],
)
def test_a_wrong_template_is_named(data, name, text, named) -> None:
    data["templates"][name] = text
    with pytest.raises(TemplateError, match=named):
        parse_templates(data)


def test_a_missing_template_is_named(data) -> None:
    del data["templates"]["person_opened"]
    with pytest.raises(TemplateError, match="person_opened"):
        parse_templates(data)


@pytest.mark.parametrize("fields", [{}, {"count": "1", "list": "x"}, {"list": "x"}])
def test_filling_with_other_fields_is_an_error(data, fields) -> None:
    with pytest.raises(TemplateError, match="left_all"):
        parse_templates(data).text("left_all", **fields)


def test_a_field_value_is_never_read_as_a_template(data) -> None:
    assert "{phone}" in parse_templates(data).text("left_one", subscription="{phone}")


def test_an_unreadable_file_is_named(tmp_path) -> None:
    with pytest.raises(TemplateError, match="无法读取"):
        load_templates(tmp_path / "replies.yaml")
