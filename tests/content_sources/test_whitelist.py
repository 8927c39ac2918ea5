"""Only exact hosts of sources in force; everything else is refused with a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from content_sources.whitelist import Refusal, SourceRule, alike, judge, listed_host

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
        ("https://qinghe.gov.cn/", "subdomain"),
        ("https://news.www.qinghe.gov.cn/", "subdomain"),
        ("https://www.qinghe.gov.cn.example.com/", "lookalike"),
        ("https://www.qlnghe.gov.cn/", "lookalike"),
        ("https://www.q1nghe.gov.cn/", "lookalike"),
        ("https://www.q\u0456nghe.gov.cn/", "lookalike"),
        ("https://www.qing\u04bbe.gov.cn/", "lookalike"),
        ("https://example.gov.cn/", "host"),
        ("https://www.qinghe.gov.cn:8443/", "port"),
        ("https://www.qinghe.gov.cn:0/", "port"),
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
    assert verdict("http://127.0.0.1/a", listed) == "port"


def test_validity_begins_and_ends() -> None:
    assert verdict("https://www.qinghe.gov.cn/", rule(valid_from=DAY)) == "ok"
    later = rule(valid_from=DAY + timedelta(seconds=1))
    assert verdict("https://www.qinghe.gov.cn/", later) == "not_yet"
    assert verdict("https://www.qinghe.gov.cn/", rule(valid_to=DAY)) == "expired"


def test_one_valid_source_of_two_is_enough() -> None:
    old = rule(valid_to=DAY - timedelta(days=1), id="old")
    found = judge("https://www.qinghe.gov.cn/", [old, rule(id="new")], DAY)
    assert isinstance(found, SourceRule)
    assert found.id == "new"


def test_the_message_names_host_and_remedy() -> None:
    found = judge("https://example.com/", [rule()], DAY)
    assert isinstance(found, Refusal)
    assert found.message == "网址 example.com 不在稿源白名单内：请先由管理员登记并批准该稿源"


def test_a_revoked_source_says_so() -> None:
    assert verdict("https://www.qinghe.gov.cn/", rule(revoked=True)) == "revoked"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/zwgk/2026/a.html", "ok"),
        ("/zwgk", "ok"),
        ("/zwgk2/a.html", "scope"),
        ("/", "scope"),
        ("/zwgk/../xwdt/a.html", "scope"),
        ("/zwgk/%2e%2e/xwdt/a.html", "scope"),
        ("/zwgk/..%2fxwdt/a.html", "scope"),
        ("/zwgk/%252e%252e/xwdt/a.html", "scope"),
    ],
)
def test_scope_is_a_path_prefix_that_cannot_be_climbed_out_of(path: str, why: str) -> None:
    assert verdict(f"https://www.qinghe.gov.cn{path}", rule(paths=("/zwgk/",))) == why


@pytest.mark.parametrize(
    "host",
    [
        "https://www.example.gov.cn",
        "www.example.gov.cn/zwgk",
        "user@www.example.gov.cn",
        "*.example.gov.cn",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "www.example.gov.cn:0",
        "www.example.gov.cn:port",
        "",
    ],
)
def test_only_whole_host_names_can_be_listed(host: str) -> None:
    with pytest.raises(ValueError, match=r"域名|端口"):
        listed_host(host)


def test_a_listed_host_is_kept_in_its_ascii_form() -> None:
    assert listed_host("WWW.Qinghe.gov.cn.") == "www.qinghe.gov.cn"
    assert listed_host("青禾.政务") == "xn--2lzs91d.xn--zfr164b"
    assert listed_host("www.qinghe.gov.cn:443") == "www.qinghe.gov.cn"
    assert listed_host("www.qinghe.gov.cn:8443") == "www.qinghe.gov.cn:8443"


def test_a_look_alike_is_named_and_an_equal_host_is_not() -> None:
    assert alike("www.qlnghe.gov.cn", ["www.qinghe.gov.cn"]) == "www.qinghe.gov.cn"
    assert alike("www.qinghe.gov.cn", ["www.qinghe.gov.cn"]) == ""
    assert alike("www.beiyuan.gov.cn", ["www.qinghe.gov.cn"]) == ""
