"""The sample site: its first notice has exactly one fault per gate, and FAULTS mends them all."""

import io
from datetime import date

import aiohttp
import docx
from PIL import Image

from content_sources.columns.page import read_column
from documents.pages.extract import Page, extract_page
from gates.engine import Finding, GateText, NoFacts, PolicyFact, RuleSet, run_gates
from sandbox.site.articles import FAULTS
from tests.content_sources.conftest import Site


class Library(NoFacts):
    """Knows what the demo's library knows."""

    def knows_policies(self) -> bool:
        return True

    def policy(self, number_or_title: str, as_of: date) -> PolicyFact | None:
        if number_or_title == "青人社发〔2019〕3号":
            return PolicyFact("旧办法", number_or_title, "repealed", "青人社发〔2026〕5号")
        if number_or_title in ("青人社发〔2026〕5号", "青政发〔2026〕8号", "青政发[2026]8号"):
            return PolicyFact("现行办法", number_or_title, "in_force")
        return None


async def get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.read()


async def first_notice(site: Site) -> Page:
    feed = f"{site.base}/site/news/rss.xml"
    url = read_column("feed", await get(feed), feed)[0].url
    return extract_page(await get(url), url)


def findings(title: str, text: str) -> list[Finding]:
    draft = GateText(title, text, "转载", date(2026, 11, 24))
    return run_gates(draft, RuleSet.load(), Library())


async def test_the_first_notice_has_one_fault_for_each_gate(site: Site) -> None:
    page = await first_notice(site)
    gates = sorted(one.gate for one in findings(page.title, page.text))
    assert gates == ["law", "policy", "politics", "secrecy", "wording"]


async def test_the_corrections_leave_nothing_to_find(site: Site) -> None:
    page = await first_notice(site)
    text = page.text
    for wrong, right in FAULTS:
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    assert findings(page.title, text) == []


async def test_the_first_notice_fits_the_platforms_and_carries_its_number(site: Site) -> None:
    page = await first_notice(site)
    assert len(page.title) <= 32
    assert page.doc_number == "青政发〔2026〕12号"
    assert [name for _, name in page.attachments] == ["补贴申请表"]


async def test_the_policy_list_leads_to_its_pages(site: Site) -> None:
    url = f"{site.base}/site/policy/"
    entries = read_column("list", await get(url), url)
    assert [entry.date for entry in entries] == ["2026-11-20", "2026-11-18", "2026-11-16"]
    for entry in entries:
        assert extract_page(await get(entry.url), entry.url).title == entry.title


async def test_the_attachment_is_a_word_file_that_opens(site: Site) -> None:
    page = await first_notice(site)
    url, _ = page.attachments[0]
    paragraphs = [one.text for one in docx.Document(io.BytesIO(await get(url))).paragraphs]
    assert paragraphs[0] == "高校毕业生就业补贴申请表"
    assert len(paragraphs) == 6


async def test_every_picture_of_the_site_is_a_whole_image(site: Site) -> None:
    for name in ("window", "pipes", "market"):
        with Image.open(io.BytesIO(await get(f"{site.base}/site/{name}.png"))) as picture:
            picture.load()
            assert picture.size == (640, 400)


async def test_the_control_changes_an_article_and_puts_it_back(site: Site) -> None:
    path = "/site/policy/xiaofei-quan.html"
    before = await get(site.base + path)
    async with aiohttp.ClientSession() as session:
        for text, expected in (("第一条 已停止发放。", "第一条 已停止发放。"), (None, None)):
            order = {"path": path, "text": text}
            async with session.post(f"{site.base}/_control/site", json=order) as answer:
                assert answer.status == 200
            page = extract_page(await get(site.base + path), site.base + path)
            assert page.text == (expected or extract_page(before, "").text)
        async with session.post(f"{site.base}/_control/site", json={"path": "/x"}) as answer:
            assert answer.status == 422
