"""A saved page of a policy is read as a fetched one: its box, its body, nothing beside them."""

from datetime import date

import pytest

from console.policies.fetched import policy_draft
from content_sources.models import Article
from documents.pages.extract import extract_page
from knowledge.clauses import cut
from knowledge.documents import PolicyDraft, read_bytes

TITLE = "青禾县人民政府办公室关于印发冬季用工保障方案的通知"
BODY = [
    "各苏木乡镇人民政府，县直各部门：",
    "《青禾县冬季用工保障方案》已经县政府同意，现印发给你们，请结合实际认真组织实施。",
    "一、对春节期间不停工、不减员的企业，按照每人每天五十元的标准给予稳岗补贴，最长不超过十五天。",
    "二、县人力资源和社会保障局每周公布一次岗位清单，岗位信息同时在政务服务大厅张贴。",
    "三、本方案自印发之日起施行，有效期至2028年12月31日。",
]
BOX = {
    "索 引 号": "000014349/2026-00123",
    "发布机构": "青禾县大数据局",
    "发文机关": "青禾县人民政府办公室、青禾县就业局",
    "生成日期": "2026-11-21",
    "成文日期": "2026年11月18日",
    "发文字号": "青政办发〔2026〕21号",
    "发布日期": "2026-11-20",
    "有效性": "有效",
}


def saved(box: dict[str, str], lines: list[str] = BODY) -> str:
    cells = "".join(f"<td><b>{name}：</b></td><td>{value}</td>" for name, value in box.items())
    words = "".join(f"<p>　　{line}</p>" for line in lines)
    links = "".join(f"<li><a href='/c{n}/'>栏目{n}</a></li>" for n in range(15))
    return (
        f"<html><head><meta charset='utf-8'><title>{TITLE}_青禾县人民政府门户网站</title></head>"
        f"<body><ul>{links}</ul><table><tr>{cells}</tr></table><h1>{TITLE}</h1>"
        f"<div id='zoom'>{words}</div><div class='footer'>主办单位：县政府</div></body></html>"
    )


def fetched(html: str) -> PolicyDraft | None:
    page = extract_page(html, "")
    article = Article(
        title=page.title,
        text=page.text,
        policy=page.policy.record(),
        published_on=page.date,
        source_name="青禾县",
        url="",
    )
    return policy_draft(article)


def test_the_box_gives_number_issuer_and_days_both_ways() -> None:
    html = saved(BOX)
    (draft,) = read_bytes("a.html", html.encode())
    assert (draft.title, draft.doc_number) == (TITLE, "青政办发〔2026〕21号")
    assert draft.issuer == "青禾县人民政府办公室 青禾县就业局"
    assert (draft.issued_on, draft.effective_from) == (date(2026, 11, 18), date(2026, 11, 18))
    assert draft.effective_to == date(2028, 12, 31)
    assert draft.text.split("\n") == BODY
    assert [one.label for one in cut(draft.text)] == ["一、", "二、", "三、"]
    assert draft == fetched(html)


def test_where_the_box_is_silent_the_document_speaks() -> None:
    lines = [TITLE, "青政办发〔2026〕9号", *BODY, "青禾县人民政府办公室", "2026年11月17日"]
    box = {"索引号": "000014349/2026-00123", "发布机构": "青禾县政府网站", "有效性": "失效"}
    (draft,) = read_bytes("a.html", saved(box, lines).encode())
    assert (draft.doc_number, draft.issuer) == ("青政办发〔2026〕9号", "青禾县人民政府办公室")
    assert (draft.issued_on, draft.status) == (date(2026, 11, 17), "expired")
    assert fetched(saved(box, lines)) is None


def test_what_may_be_said_of_the_record_gives_way_to_the_document() -> None:
    lines = [*BODY[:4], "三、请认真执行。", "青禾县人民政府办公室", "2026年11月17日"]
    box = {"索引号": "000014349/2026-00123", "发布机构": "青禾县大数据局", "生成日期": "2026-11-23"}
    (draft,) = read_bytes("a.html", saved(box, lines).encode())
    assert (draft.issuer, draft.issued_on) == ("青禾县人民政府办公室", date(2026, 11, 17))
    assert draft == fetched(saved(box, lines))


@pytest.mark.parametrize(
    ("validity", "status"),
    [("尚未施行", "not_yet"), ("已修改", "amended"), ("废止", "repealed"), ("有效", None)],
)
def test_the_validity_of_the_box_is_the_status(validity: str, status: str | None) -> None:
    lines = [*BODY[:4], "三、请认真执行。"]
    (draft,) = read_bytes("a.html", saved({**BOX, "有效性": validity}, lines).encode())
    assert draft.status == status


def test_a_short_notice_is_taken_whole() -> None:
    title = "<title>关于低保的通知</title><h1>关于低保的通知</h1>"
    page = f"{title}<p>各区：通知如下。</p><p>2026年11月3日</p>"
    (draft,) = read_bytes("a.html", page.encode())
    assert (draft.title, draft.issued_on) == ("关于低保的通知", date(2026, 11, 3))
    assert len(cut(draft.text)) == 1
