"""Pages of our own, and the real ones where example data is present."""

import json
from pathlib import Path

import pytest

from content_sources.fetch import Fetcher
from content_sources.records import extract_record, fetch_record
from documents.charset import decode
from documents.pages.extract import extract_page
from tests.content_sources.conftest import Site

URL = "https://www.qinghe.gov.cn/zwgk/2026/a.html"
TEXT = "青禾县人民政府决定自十二月起为居家老年人提供助餐服务，各社区食堂按时开放。"
PAGE = f"""<html><head><title>助餐服务通知_青禾县人民政府</title>
<meta name="ArticleTitle" content="青禾县助餐服务通知"><meta name="PubDate" content="2026-11-20">
<meta name="ContentSource" content="青禾县民政局"><meta name="Author" content="云禾"></head><body>
<ul><li><a href="/">首页</a></li></ul><h1>青禾县助餐服务通知</h1>
<div class="TRS_Editor"><p>青政办发〔2026〕21号</p><p>{TEXT}</p><script>bad()</script>
<p><img src="../p.png" alt="食堂"></p><p>第二段<b>加粗</b>，<a href="b.html">另见</a>。</p>
<p>附件：<a href="/files/form.docx">申请表</a></p></div><footer>主办单位</footer></body></html>"""


def test_meta_tags_and_container_give_the_article() -> None:
    page = extract_page(PAGE, URL)
    assert (page.title, page.date, page.source, page.author) == (
        "青禾县助餐服务通知",
        "2026-11-20",
        "青禾县民政局",
        "云禾",
    )
    assert page.text.split("\n") == [
        "青政办发〔2026〕21号",
        TEXT,
        "第二段加粗，另见。",
        "附件：申请表",
    ]
    assert page.doc_number == "青政办发〔2026〕21号"
    assert page.images == (("https://www.qinghe.gov.cn/zwgk/p.png", "食堂"),)
    assert page.attachments == (("https://www.qinghe.gov.cn/files/form.docx", "申请表"),)
    assert page.links[0] == ("https://www.qinghe.gov.cn/zwgk/2026/b.html", "另见")
    assert page.marked.split("\n")[2] == "![食堂](https://www.qinghe.gov.cn/zwgk/p.png)"


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["各乡镇：", "根据《养老条例》（某政发〔2020〕1号），通知如下。"], ""),
        (["依据国发〔2020〕3号文件精神，现通知如下："], ""),
        (["按照省政府令第207号的规定，现公告如下。"], ""),
        (["根据某政发〔2020〕1号"], ""),
        (["文号：", "根据《办法》（国发〔2020〕3号），通知如下。"], ""),
        (["以下文件废止：", "青政发〔2010〕3号", "青政发〔2010〕4号"], ""),
        (
            ["青民发〔2026〕3号 青财发〔2026〕8号", "根据国发〔2020〕3号，通知如下。"],
            "青民发〔2026〕3号",
        ),
        (["青民发〔2026〕3号 各乡镇人民政府，县直各部门："], "青民发〔2026〕3号"),
        (["青禾县人民政府令", "第12号", "《办法》已经通过。"], "青禾县人民政府令第12号"),
        (["民政部 财政部公告2026年第27号", "现公告如下。"], "民政部 财政部公告2026年第27号"),
    ],
)
def test_the_number_of_a_page_is_its_own_or_none(lines: list[str], number: str) -> None:
    words = "".join(f"<p>{line}</p>" for line in [*lines, TEXT * 4])
    page = f"<h1>关于青禾县助餐服务的通知</h1><div id='zoom'>{words}</div>"
    assert extract_page(page, URL).doc_number == number


def test_without_meta_tags_the_visible_line_is_read() -> None:
    paragraphs = f"<p>{TEXT}</p>" * 6
    page = extract_page(
        "<html><head><title>冬季供暖安排公布_青禾县</title></head><body><div><h1>冬季供暖安排公布</h1>"
        "<div>来源：青禾县住建局 作者：白桦 发布时间：2026年1月5日</div>"
        f"<div class='text'>{paragraphs}</div></div></body></html>",
        URL,
    )
    assert (page.title, page.date) == ("冬季供暖安排公布", "2026-01-05")
    assert (page.source, page.author) == ("青禾县住建局", "白桦")
    assert page.text.count(TEXT) == 6


@pytest.mark.parametrize("body", [b"", b"   ", b"<html><body></body></html>"])
def test_a_page_without_an_article_is_refused_in_chinese(body: bytes) -> None:
    with pytest.raises(ValueError, match="网页"):
        extract_page(body, URL)


def test_broken_addresses_and_control_characters_do_not_stop_a_page() -> None:
    broken = "<a href='http://[bad/'>x</a><img src='http://[::1'>\x01\x00"
    page = extract_page(f"<title>供暖通知</title><div id='zoom'><p>{TEXT}{broken}</p></div>", URL)
    assert (page.title, page.text) == ("供暖通知", TEXT + "x")
    assert (page.images, page.links) == ((), ())


def test_a_record_without_a_readable_file_names_the_field(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="字段 path"):
        extract_record({"id": "1"})
    with pytest.raises(ValueError, match="字段 path"):
        extract_record({"id": "1", "path": str(tmp_path / "gone.html")})


def test_a_record_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    file.write_text(PAGE, encoding="utf-8")
    made = extract_record({"id": "1", "path": str(file), "url": URL})
    assert list(made) == ["id", "title", "date", "source", "author", "text", "images", "links"]
    assert made["images"] == [{"url": "https://www.qinghe.gov.cn/zwgk/p.png", "alt": "食堂"}]


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("<p>青禾县</p>".encode("gb18030"), ""),
        ("<p>青禾县</p>".encode("gb18030"), "text/html; charset=utf-8"),
        ("<p>青禾县</p>".encode(), "text/html; charset=gb2312-wrong"),
        ("\ufeff<p>青禾县</p>".encode(), ""),
        ("<p>青禾县</p>".encode("utf-16"), ""),
    ],
)
def test_the_charset_that_fits_wins_over_the_declared_one(body: bytes, header: str) -> None:
    assert decode(body, header) == "<p>青禾县</p>"


def test_one_broken_byte_does_not_lose_a_page() -> None:
    text = decode(b"<meta charset='utf-8'>" + ("青禾县" * 300).encode() + b"\xff", "text/html")
    assert text.count("青禾县") == 300


def test_real_pages_give_their_title_date_and_probes(example_data: Path) -> None:
    folder = example_data / "5_web_feeds"
    for line in (folder / "pages.dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        made = extract_record({"id": row["id"], "path": str(folder / row["file"]), "url": URL})
        wanted = row["expected"]
        assert all(part in (made["title"] or "") for part in wanted["title_contains"]), row["id"]
        assert made["date"] == wanted["date"], row["id"]
        assert all(part in made["text"] for part in wanted["body_contains"]), row["id"]
        assert not any(part in made["text"] for part in wanted["body_must_not_contain"]), row["id"]


async def test_a_typed_address_is_fetched_and_read(site: Site, fetcher: Fetcher) -> None:
    url = f"{site.base}/site/policy/xiaofei-quan.html"
    found = await fetch_record({"id": 7, "url": url}, fetcher)
    assert (found["id"], found["title"]) == (7, "青禾县2026年冬季消费券发放办法")
    assert (found["date"], found["source"]) == ("2026-11-16", "青禾县商务局")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/site/offsite-redirect", "不在稿源白名单内"),
        ("/nothing-here.html", "状态码 404"),
        ("/site/window.png", "内容类型 image/png"),
    ],
)
async def test_a_typed_address_without_a_page_is_one_line_naming_the_field(
    site: Site, fetcher: Fetcher, path: str, message: str
) -> None:
    with pytest.raises(ValueError, match="字段 url") as caught:
        await fetch_record({"id": 1, "url": site.base + path}, fetcher)
    assert message in str(caught.value)


@pytest.mark.parametrize("url", [None, "", "ftp://a/", "https://[::1", "网址", 5])
async def test_what_is_no_web_address_is_refused(url: object, fetcher: Fetcher) -> None:
    with pytest.raises(ValueError, match="字段 url"):
        await fetch_record({"id": 1, "url": url}, fetcher)


def test_what_a_page_does_not_say_is_null(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(f"<html><body><div><p>{TEXT}</p></div></body></html>", encoding="utf-8")
    found = extract_record({"id": "a", "path": str(path)})
    assert (found["date"], found["source"], found["author"]) == (None, None, None)
    assert found["text"] == TEXT
