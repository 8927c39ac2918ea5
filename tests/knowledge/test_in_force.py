"""From when a policy holds by its own words: on the right day, or unknown and told, never early."""

from dataclasses import replace
from datetime import date

import pytest

from config.holidays import workdays_after
from knowledge.clauses import cut
from knowledge.documents import DocumentError, draft_of, read_bytes
from knowledge.headed import head_of
from knowledge.validity import parse_status, policy_status
from tests.knowledge.test_alterations import QUESTION, TODAY, edit

_NOTICE = "某县养犬管理办法\n某政发〔2026〕3号\n{}\n某县人民政府\n2026年3月2日"


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        ("本办法自2026年7月1日开始施行。", "2026-07-01"),
        ("本办法自2026年7月1日起在全县全面施行。", "2026-07-01"),
        ("本办法自2026年7月1日起依法施行。", "2026-07-01"),
        ("本办法自2026年7月1日（星期三）起施行。", "2026-07-01"),
        ("本办法自2026-07-01起施行。", "2026-07-01"),
        ("本办法自2026.7.1起施行。", "2026-07-01"),
        ("本办法自２０２６年７月１日起施行。", "2026-07-01"),
        ("本办法的施行时间为2026年7月1日。", "2026-07-01"),
        ("本办法公布三十日后施行。", "2026-04-01"),
        ("本办法于公布之日起30日后施行。", "2026-04-01"),
        ("本办法自发布之日起施行。收费标准的实施时间另行通知。", "2026-03-02"),
        ("收费标准的实施时间另行通知。\n本办法自2026年7月1日起施行。", "2026-07-01"),
        ("本办法自公布之日起六个月后施行，但第十条的规定自公布之日起施行。", "2026-09-02"),
        ("本办法自发布之日起10个工作日后施行。", "2026-03-16"),
        ("本办法自公布之日起二十个工作日后实施。", "2026-03-30"),
        ("自发布之日起45个工作日后试行。", "2026-05-08"),  # 清明 and 五一 between
        ("本办法自印发之日起满30日施行。", "2026-04-01"),
        ("本办法自发布之日起三个月后施行。", "2026-06-02"),
        ("本办法自公布之日起60日后施行。", "2026-05-01"),
        ("本办法自公布之日起30个自然日后施行。", "2026-04-01"),
        ("本办法自发布之日起一百二十日后施行。", "2026-06-30"),
        ("本办法自发布之日起半年后施行。", "2026-09-02"),
        ("本办法自发布之日起一年后施行。", "2027-03-02"),
        ("本办法自公布之日起两周后施行。", "2026-03-16"),
        ("本办法公布后30日施行。", "2026-04-01"),
        ("本办法自发布之日后30日起施行。", "2026-04-01"),
        ("本办法自发布之日的次日起施行。", "2026-03-03"),
        ("本办法自印发之日起第二日施行。", "2026-03-03"),
        ("本办法自印发之日起的次月1日起施行。", "2026-04-01"),
        ("本办法自下月1日起施行。", "2026-04-01"),
        ("本办法自次年1月1日起施行。", "2027-01-01"),
        ("本办法自发布之日起30日后（2026年4月2日）施行。", "2026-04-02"),
        ("本办法于2026年5月1日起施行。", "2026-05-01"),
        ("本办法自发布之日起施行，自2020年1月1日起施行的原办法同时废止。", "2026-03-02"),
        ("本办法自省人民政府批准之日起施行。", "2026-03-02"),
        ("本通知自发布之日起，有效期5年。", "2026-03-02"),
        ("原标准自2020年1月1日起执行。本办法自发布之日起30日后施行。", "2026-04-01"),
        ("本办法由县民政局解释，自发布之日起30日后施行。", "2026-04-01"),
        ("自本通知印发之日起执行。", "2026-03-02"),
        ("本通知自即日起执行。", "2026-03-02"),
        ("本办法自印发之日起三十（30）日后施行。", "2026-04-01"),
        ("本办法自发布之日起满30日后，正式施行。", "2026-04-01"),
        ("本办法自公布之日起10个工作日届满后施行。", "2026-03-16"),
        ("本办法自2026年5月1日零时起施行。", "2026-05-01"),
        ("本办法自2026年5月起施行。", "2026-05-01"),
        ("本办法自公布之日起30日后的次日起施行。", "2026-04-02"),
        ("本办法自印发之日起满30日的次日施行。", "2026-04-02"),
        ("本办法自发布之日起10个工作日后的次日施行。", "2026-03-17"),
        ("本办法与《中华人民共和国生态环境法典》同时施行。", "2026-08-15"),
        ("本办法自《生态环境法典》施行之日起施行。", "2026-08-15"),
        ("第九条 自2026年7月1日起施行。\n证书自签发之日起生效。", "2026-07-01"),
    ],
)
def test_a_start_is_worked_out(said: str, starts: str) -> None:
    found = head_of(_NOTICE.format(said))
    assert (str(found.effective_from), found.starts_later) == (starts, "")


@pytest.mark.parametrize(
    "said",
    [
        "自公布之日起300个工作日后施行",  # no calendar is published for the year after
        "自发布之日起15日内施行",
        "自配套细则公布之日起施行",
        "自2026年第三季度起施行",
        "自2026年下半年起施行",
        "自2026年7月上旬起施行",
        "自5月1日起施行",
        "自下月10日起施行",
        "自2026年7月1日24时起施行",
        "施行日期另行公布",
        "与《某县城市管理条例》同时施行",
        "自公布之日起与《某县城市管理条例》同步实施",
        "自《某县城市管理条例》施行之日起施行",
    ],
)
def test_a_start_nobody_can_work_out_is_unknown_and_told(said: str) -> None:
    found = head_of(_NOTICE.format(f"本办法{said}。"))
    assert (found.effective_from, found.starts_later) == (None, said)
    (draft,) = read_bytes("a.txt", _NOTICE.format(f"本办法{said}。").encode())
    assert draft.status == "not_yet"
    known = draft_of({"text": _NOTICE.format(f"本办法{said}。"), "effective_from": "2026-05-01"})
    assert (known.status, known.effective_from) == (None, date(2026, 5, 1))


@pytest.mark.parametrize(
    "said",
    [
        "自2026年5月1日起至2027年4月30日止施行",
        "有效期为2026年5月1日至2027年4月30日",
        "自发布之日起施行，有效期自2026年5月1日至2027年4月30日",
    ],
)
def test_both_days_of_a_range_are_read(said: str) -> None:
    found = head_of(_NOTICE.format(f"本办法{said}。"))
    assert (found.effective_from, found.effective_to) == (date(2026, 5, 1), date(2027, 4, 30))


@pytest.mark.parametrize(
    ("said", "starts", "ends"),
    [
        ("本办法自2026年7月1日起至2028年6月30日施行。", "2026-07-01", "2028-06-30"),
        ("本办法自2026年7月1日起施行，至2028年6月30日止。", "2026-07-01", "2028-06-30"),
        ("本办法自2026年7月1日至2028年6月30日有效。", "2026-07-01", "2028-06-30"),
        ("本通告自2026年7月1日0时至12月31日24时止施行。", "2026-07-01", "2026-12-31"),
        ("本政策执行期限为2026年7月1日至2028年6月30日。", "2026-07-01", "2028-06-30"),
        ("本政策执行期自政策发布之日起至2026年6月30日。", "2026-03-02", "2026-06-30"),
        ("本办法自发布之日起施行，有效期截止2028年12月31日。", "2026-03-02", "2028-12-31"),
        ("本办法自发布之日起施行，2028年12月31日自行失效。", "2026-03-02", "2028-12-31"),
        ("本政策延续实施至2027年12月31日。", "None", "2027-12-31"),
        ("本通知执行至2027年12月31日。", "None", "2027-12-31"),
        ("本办法自2026年7月1日起施行，有效期自施行之日起5年。", "2026-07-01", "2031-06-30"),
        ("本办法自2026年7月1日起施行，有效期为自印发之日起3年。", "2026-07-01", "2029-03-01"),
        ("本办法自2026年7月1日起施行，自施行之日起5年内有效。", "2026-07-01", "2031-06-30"),
        ("本办法自2026年7月1日起试行两年。", "2026-07-01", "2028-06-30"),
        ("本办法自2026年7月1日起施行，施行满三年自动失效。", "2026-07-01", "2029-06-30"),
        ("本办法自2026年7月1日起施行，暂定两年。", "2026-07-01", "2028-06-30"),
        ("本办法自2026年7月1日起施行。有效期36个月。", "2026-07-01", "2029-06-30"),
        # What ends is a licence, a coupon or the document before this one.
        ("排水许可证有效期为5年。\n本办法自2026年7月1日起施行。", "2026-07-01", "None"),
        ("本办法自2026年7月1日起施行。原办法有效期至2025年12月31日。", "2026-07-01", "None"),
        ("优惠券有效期至2026年5月1日。\n本办法自发布之日起施行。", "2026-03-02", "None"),
        ("有效期5年的证书，期满换发。本办法自发布之日起施行。", "2026-03-02", "None"),
    ],
)
def test_the_last_day_is_the_documents_own(said: str, starts: str, ends: str) -> None:
    found = head_of(_NOTICE.format(said))
    assert (str(found.effective_from), str(found.effective_to)) == (starts, ends)


async def test_what_begins_with_a_policy_of_the_library_has_its_first_day(office, grant) -> None:
    (made,) = await office.library.propose_import([grant], "editor")
    await office.library.approve(made.change_id, "admin1")
    said = f"青禾县补贴细则\n第一条 补贴按月发放。\n第二条 本细则与《{grant.title}》同时施行。"
    (draft,) = read_bytes("a.txt", f"{said}\n2024年1月2日".encode())
    assert (draft.status, draft.effective_from) == ("not_yet", None)
    (made,) = await office.library.propose_import([draft], "editor")
    await office.library.approve(made.change_id, "admin1")
    (policy,) = [one for one in await office.library.standing() if one.title == "青禾县补贴细则"]
    assert (policy.effective_from, policy.stated) == (str(grant.effective_from), None)


@pytest.mark.parametrize(
    "said",
    [
        "申请人应当自公布之日起15日内提出申请，由乡镇组织实施。",
        "补贴自认定之日起三年内实施。",
        "以上市公司的股份出质的，质押合同自办理登记之日起生效。",
        "该合同应当登记，自登记之日起生效。",
        "养老补贴标准自次月起执行。",
        "名单自公布之日起5日后执行。",
    ],
)
def test_what_others_do_by_a_day_is_no_start(said: str) -> None:
    found = head_of(_NOTICE.format(said))
    assert (found.effective_from, found.starts_later) == (None, "")
    # Nor does it take the place of the document's own, wherever that stands.
    for both in (f"{said}\n本办法自发布之日起施行。", f"本办法自发布之日起施行。\n{said}"):
        assert head_of(_NOTICE.format(both)).effective_from == date(2026, 3, 2)


def test_a_line_of_a_library_counts_from_its_own_day() -> None:
    found = draft_of({"text": "本办法自发布之日起10个工作日后施行。", "date": "2026-09-28"})
    assert found.effective_from == date(2026, 10, 16)  # after 国庆 and its 调休
    assert workdays_after(date(2090, 1, 1), 1) is None


async def test_what_begins_on_an_unknown_day_is_not_answered_from(office, grant) -> None:
    draft = replace(grant, effective_from=None, status="not_yet")
    (made,) = await office.library.propose_import([draft], "editor")
    (change,) = await office.library.changes(made.policy_id)
    effect = await office.library.effect(change)
    assert any("没有算出从哪一天起施行" in one for one in effect["warnings"])
    await office.library.approve(made.change_id, "admin1")
    (policy,) = await office.library.standing()
    assert (policy.effective_from, policy_status(policy, TODAY)) == (None, "not_yet")
    assert (await office.service.ask(QUESTION, TODAY)).status != "answered"
    await edit(office, policy.id, effective_from="2026-05-01")
    (policy,) = await office.library.standing()
    assert policy_status(policy, TODAY) == "in_force"


@pytest.mark.parametrize(
    ("written", "status"),
    [
        *(("作废", "repealed"), ("宣布失效", "expired"), ("已失效", "expired")),
        *(("尚未生效", "not_yet"), ("未生效", "not_yet"), ("继续有效", "in_force")),
    ],
)
def test_more_words_of_government_sites_are_understood(written: str, status: str) -> None:
    assert parse_status(written) == status
    assert draft_of({"text": "一、正文。", "status": written}).status == status


@pytest.mark.parametrize(
    ("written", "remedy"),
    [("部分失效", "对失效的条文提出废止"), ("暂停执行", "repealed_on"), ("待定", "“待定”$")],
)
def test_a_status_the_library_lacks_is_refused_with_what_to_do(written: str, remedy: str) -> None:
    line = f'{{"text": "一、正文。", "status": "{written}"}}'
    with pytest.raises(DocumentError, match=f"status：应当是 有效、已修改.*{remedy}"):
        read_bytes("a.jsonl", line.encode())


def test_orders_of_a_notice_numbered_with_points_are_clauses() -> None:
    text = (
        "关于印发养老办法的通知\n各乡镇：\n现印发给你们，并通知如下。\n"
        "1.各乡镇于3月底前报送名单。\n2. 县民政局每月核对1.5万人的名单。\n"
        "附件：\n1.某县养老办法\n2.名单\n某县民政局\n2026年3月2日\n"
        "某县养老办法\n第一条 本县老人每月领补贴。\n第二条 补贴由乡镇发放。"
    )
    assert [(one.label, one.text) for one in cut(text)] == [
        ("1.", "1.各乡镇于3月底前报送名单。"),
        ("2.", "2. 县民政局每月核对1.5万人的名单。"),
        ("第一条", "第一条 本县老人每月领补贴。"),
        ("第二条", "第二条 补贴由乡镇发放。"),
    ]
    plain = text.replace("1.各", "各").replace("2. 县", "县")
    assert [one.label for one in cut(plain)] == ["第一条", "第二条"]


@pytest.mark.parametrize(
    ("said", "starts", "ends"),
    [
        (
            "本办法自2026年5月1日起施行，原《某县办法》（某政发〔2020〕1号，有效期至2026年4月30日）同时废止。",
            "2026-05-01",
            "",
        ),
        ("原办法（有效期至2026年4月30日）停止执行，本办法自2026年5月1日起施行。", "2026-05-01", ""),
        ("原政策执行至2026年4月30日。本办法自2026年5月1日起施行。", "2026-05-01", ""),
        ("本办法自2026年5月1日起施行，有效期至2025年4月30日。", "2026-05-01", ""),
        ("本办法施行时间追溯至2026年1月1日，有效期两年。", "2026-01-01", "2027-12-31"),
        ("本办法从2026年1月1日起追溯执行。", "2026-01-01", ""),
        ("本通知自2026年5月1日起执行，申报期限至2026年12月31日。", "2026-05-01", ""),
        ("本通知自2026年5月1日起执行，申报截止时间为2026年8月31日。", "2026-05-01", ""),
        ("本通知自2026年5月1日起执行，消费券核销截至2026年6月30日。", "2026-05-01", ""),
        ("本通知自2026年5月1日起执行，其中第三条执行至2026年12月31日。", "2026-05-01", ""),
        ("第八条自2026年10月1日起施行，其他条款自2026年5月1日起施行。", "2026-05-01", ""),
        ("本办法第五条自2027年1月1日起施行，其余条款自印发之日起施行。", "2026-03-02", ""),
        (
            "第八条 本办法所称项目经县政府批准后实施。\n第二十条 本办法自印发之日起施行。",
            "2026-03-02",
            "",
        ),
    ],
)
def test_days_of_others_and_of_single_clauses_are_not_the_documents(
    said: str, starts: str, ends: str
) -> None:
    found = head_of(_NOTICE.format(said))
    assert (str(found.effective_from), str(found.effective_to or "")) == (starts, ends)


@pytest.mark.parametrize(
    "said",
    [
        "经省政府批准后实施",
        "自县人大常委会批准后施行",
        "待上级批复后施行",
        "施行日期由县人民政府决定",
        "报市人民政府同意后施行",
    ],
)
def test_a_start_that_waits_for_an_assent_is_not_yet_there(said: str) -> None:
    (draft,) = read_bytes("a.txt", _NOTICE.format(f"本办法{said}。").encode())
    assert (draft.status, draft.effective_from) == ("not_yet", None)
