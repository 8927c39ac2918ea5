"""Only exact hosts of sources in force; everything else is refused with a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from content_sources.whitelist import Refusal, SourceRule, judge

DAY = datetime(2026, 11, 24, 4, tzinfo=UTC)


def rule(*hosts: str, **changed: Any) -> SourceRule:
    fields = {
        "id": "s1",
        "organisation": "青禾县人民政府",
        "hosts": hosts or ("www.qinghe.gov.cn",),
        "allow_http": False,
        "valid_from": DAY - timedelta(days=1),
        "valid_to": None,
    }
    return SourceRule(**{**fields, **changed})


def verdict(url: str, *rules: SourceRule) -> str:
    found = judge(url, rules or (rule(),), DAY)
    return found.rule if isinstance(found, Refusal) else "ok"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.qinghe.gov.cn/a.html",
        "https://WWW.QINGHE.GOV.CN./a.html",
        "https://www.qinghe.gov.cn:443/a.html?x=1#y",
    ],
)
def test_an_exact_host_is_covered(url: str) -> None:
    assert verdict(url) == "ok"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://qinghe.gov.cn/", "host"),
        ("https://news.www.qinghe.gov.cn/", "host"),
        ("https://www.qinghe.gov.cn.example.com/", "host"),
        ("https://www.qinghe.gov.cn:8443/", "host"),
        ("https://www.qinghe.gov.cn:0/", "host"),
        ("http://www.qinghe.gov.cn/", "scheme"),
        ("ftp://www.qinghe.gov.cn/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://www.qinghe.gov.cn@example.com/", "userinfo"),
        ("https://user:word@www.qinghe.gov.cn/", "userinfo"),
        ("https://example.com\\@www.qinghe.gov.cn/", "url"),
        ("https://www.qinghe.gov.cn /", "url"),
        ("https://www.qinghe.gov.cn:port/", "url"),
        ("https:///a.html", "url"),
        ("https://[::1", "url"),
        ("", "scheme"),
    ],
)
def test_everything_else_is_refused(url: str, why: str) -> None:
    assert verdict(url) == why


def test_without_sources_nothing_is_covered() -> None:
    assert isinstance(judge("https://www.gov.cn/", [], DAY), Refusal)


def test_a_chinese_host_and_its_ascii_form_are_one() -> None:
    listed = rule("青禾.政务")
    assert verdict("https://青禾.政务/a", listed) == "ok"
    assert verdict("https://xn--2lzs91d.xn--zfr164b/a", listed) == "ok"


def test_a_listed_port_covers_that_port_alone() -> None:
    listed = rule("127.0.0.1:8080", allow_http=True)
    assert verdict("http://127.0.0.1:8080/a", listed) == "ok"
    assert verdict("http://127.0.0.1/a", listed) == "host"


def test_validity_begins_and_ends() -> None:
    assert verdict("https://www.qinghe.gov.cn/", rule(valid_from=DAY)) == "ok"
    later = rule(valid_from=DAY + timedelta(seconds=1))
    assert verdict("https://www.qinghe.gov.cn/", later) == "validity"
    assert verdict("https://www.qinghe.gov.cn/", rule(valid_to=DAY)) == "validity"


def test_one_valid_source_of_two_is_enough() -> None:
    old = rule(valid_to=DAY - timedelta(days=1), id="old")
    found = judge("https://www.qinghe.gov.cn/", [old, rule(id="new")], DAY)
    assert isinstance(found, SourceRule)
    assert found.id == "new"


def test_the_message_names_host_and_remedy() -> None:
    found = judge("https://example.com/", [rule()], DAY)
    assert isinstance(found, Refusal)
    assert found.message == "网址 example.com 不在稿源白名单内：请先由管理员登记并批准该稿源"
