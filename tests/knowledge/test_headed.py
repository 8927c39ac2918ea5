"""What a policy says of itself, and what it only says of others."""

import time
from datetime import date

import pytest

from documents.own_number import own_number
from knowledge.headed import head_of


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (["某县民政局", "关于发放津贴的通知"], "某县民政局关于发放津贴的通知"),
        (["县政府印发养犬办法", "的通知", "各乡镇："], "县政府印发养犬办法的通知"),
        (["某县民政局文件", "某民发〔2026〕3号", "关于津贴的通知"], "关于津贴的通知"),
        (["某县民政局关于做好", "救助的意见（试行）"], "某县民政局关于做好救助的意见（试行）"),
        (["某县养犬管理办法", "第一条 养犬应当登记。"], "某县养犬管理办法"),
        (
            ["某县政府关于推行公示制度", "记录制度", "审核制度的指导意见", "某政发〔2026〕3号"],
            "某县政府关于推行公示制度记录制度审核制度的指导意见",
        ),
        (
            ["某县政府关于全面推行规范性文件", "审核机制的意见", "各乡镇："],
            "某县政府关于全面推行规范性文件审核机制的意见",
        ),
        (["某县政府对县人大", "第72号建议的答复", "王代表："], "某县政府对县人大第72号建议的答复"),
        (["县政府关于奖售粮", "几 个 问 题 的 通 知", "各乡："], "县政府关于奖售粮几个问题的通知"),
        (["某县政府关于印发养犬办法的通知", "某县养犬办法"], "某县政府关于印发养犬办法的通知"),
        (["关于养老的意见", "某县民政局", "各乡镇："], "关于养老的意见"),
        (["关于养犬的通知（某办发〔2026〕2号）", "各乡镇："], "关于养犬的通知"),
        (["MXCR-2026-01005", "关于养犬", "登记的通知", "各乡镇："], "关于养犬登记的通知"),
        (
            ["某县人民政府令", "第12号", "现公布修订后的《某县养犬条例》，自5月1日起施行。"],
            "某县养犬条例",
        ),
    ],
)  # fmt: skip
def test_a_title_is_whole(lines: list[str], title: str) -> None:
    assert head_of("\n".join(lines)).title == title


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("关于养犬的通知\n某政发 [2026] 012 号\n各乡镇：", "某政发〔2026〕12号"),
        ("文号：某政办发〔2026〕7号\n关于养犬的通知", "某政办发〔2026〕7号"),
        ("财政部 税务总局公告2026年第27号\n现公告如下。", "财政部 税务总局公告2026年第27号"),
        ("某县人民政府令\n第 12 号\n《某县养犬管理办法》已经通过。", "某县人民政府令第12号"),
        ("中华人民共和国国务院令第707号\n条例", "中华人民共和国国务院令第707号"),
        ("关于养犬的通知\n某财社〔2026〕3号 某民发〔2026〕9号\n各乡镇：", "某财社〔2026〕3号"),
        ("某财社〔2026〕3号、某民发〔2026〕9号\n关于养犬的通知", "某财社〔2026〕3号"),
        ("政府令〔2010〕第15号\n《某省养犬规定》已经通过，现予公布。", "政府令〔2010〕第15号"),
        ("某县关于养犬的通知（某办发〔2026〕2号）\n各乡镇：", "某办发〔2026〕2号"),
        ("MXCR-2026-01005\n某政办发〔2026〕9号\n关于养犬的通知\n各乡镇：", "某政办发〔2026〕9号"),
        ("关于养犬的通知\n根据某政发〔2020〕1号文件要求，现予公布。", ""),
        ("关于转发某政发〔2020〕1号文件的通知\n各乡镇：", ""),
        ("关于养犬的通知\n根据某政发〔2020〕1号", ""),
        ("关于废止文件的通知\n以下文件废止：\n某政发〔2020〕1号", ""),
        ("关于养犬的通知\n各乡镇：\n请执行国发〔2026〕012号。", ""),
    ],
)
def test_a_number_is_the_documents_own_or_none(text: str, number: str) -> None:
    assert head_of(text).doc_number == number


@pytest.mark.parametrize(
    ("text", "issuer"),
    [
        ("国务院关于就业的意见\n各省：", "国务院"),
        ("国务院办公厅转发民政部关于养老服务的意见的通知\n各省：", "国务院办公厅"),
        ("民政部 财政部关于临时救助的意见\n各省：", "民政部 财政部"),
        ("某县民政局、某县财政局关于救助的通知\n各乡镇：", "某县民政局 某县财政局"),
        ("救助通知\n请照办。\n某县民政局\n某县财政局\n2026年5月20日", "某县民政局 某县财政局"),
        ("关于救助的通知\n各乡镇：\n请照办。\n某县民政局 二〇二六年五月二十日", "某县民政局"),
        ("关于救助的通知\n各乡镇：", ""),
        ("某市民政局 某市财政局 关于救助的通知\n各乡镇：", "某市民政局 某市财政局"),
        (
            "中共某市委办公室某市人民政府办公室印发《公开意见》的通知\n各区：",
            "中共某市委办公室 某市人民政府办公室",
        ),
        ("中华人民共和国国务院令\n第7号\n现公布《某条例》，自公布之日起施行。", "国务院"),
        ("某市人民政府、某军区关于迁建的批复\n某部：", "某市人民政府 某军区"),
        ("某县人民政府对第72号建议的答复\n王代表：", "某县人民政府"),
    ],
)  # fmt: skip
def test_who_issued_it(text: str, issuer: str) -> None:
    assert head_of(text).issuer == issuer


@pytest.mark.parametrize(
    ("said", "starts", "ends"),
    [
        ("本办法自2026年6月1日起施行，有效期5年。", (2026, 6, 1), (2031, 5, 31)),
        ("本办法自发布之日起30日后施行。", (2026, 4, 1), None),
        ("自公布之日起满三十日后施行。", (2026, 4, 1), None),
        ("自2026年5月1日起试行，试行期一年。", (2026, 5, 1), (2027, 4, 30)),
        ("自印发之日起施行，有效期至2028年12月31日。", (2026, 3, 2), (2028, 12, 31)),
        ("自二〇二六年六月一日起执行，暂定6个月。", (2026, 6, 1), (2026, 11, 30)),
        ("本办法自2026年6月1日起施行，自2020年1月1日起施行的原办法同时废止。", (2026, 6, 1), None),
    ],
)
def test_from_when_to_when(said: str, starts: tuple[int, int, int], ends: object) -> None:
    for day in (
        "2026年3月2日",
        "2026 年 3 月 2 日",
        "二○二六年三月二日",
        "某县民政局 2026年3月2日",
    ):
        head = head_of(f"某县养犬管理办法\n{said}\n{day}")
        assert head.issued_on == date(2026, 3, 2)
        assert head.effective_from == date(*starts)
        assert head.effective_to == (date(*ends) if isinstance(ends, tuple) else None)


def test_a_word_on_publication_behind_the_day_hides_it_not() -> None:
    head = head_of("某县政府关于养犬的通知\n请照办。\n某县政府\n2026年3月2日（此件公开发布）")
    assert head.issued_on == date(2026, 3, 2)


def test_a_leap_day_and_a_day_that_is_none() -> None:
    head = head_of("办法\n自2024年2月29日起施行，有效期2年。")
    assert head.effective_to == date(2026, 2, 27)
    assert head_of("通知\n2026年2月30日").issued_on is None


def test_the_printers_line_tells_the_day_where_no_other_does() -> None:
    text = "某市奖补办法\n第一条 本办法自印发之日起施行，有效期五年。\n2026年2月10日印发"
    found = head_of(text)
    assert found.issued_on == found.effective_from == date(2026, 2, 10)
    assert found.effective_to == date(2031, 2, 9)
    assert head_of(f"{text}\n2026年2月8日").issued_on == date(2026, 2, 8)


@pytest.mark.parametrize("unit", ["各", "以下", "某县〔2026〕3号", "令"])
def test_a_number_is_looked_for_in_a_line_of_any_length(unit: str) -> None:
    line, begun = unit * 40_000, time.process_time()
    assert own_number([line, "青政发〔2026〕3号"], "关于补贴的通知") == "青政发〔2026〕3号"
    assert time.process_time() - begun < 2
