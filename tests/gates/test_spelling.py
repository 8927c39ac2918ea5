"""Misspelt characters: found by context, left alone where the text is right."""

import math
from datetime import date

import numpy as np
import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.evidence import WARN
from gates.finding import Finding
from gates.grams import Grams
from gates.language import Alphabet
from gates.spelling import HINT, Speller
from gates.wordlist import Listed, Words

RULES = RuleSet.load([])


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller.load()


def found(speller: Speller, text: str, *, hints: bool = False) -> list[Finding]:
    draft = GateText("", text, "原创", date(2026, 11, 25))
    return run_gates(draft, RULES, NoFacts(), include_hints=hints, speller=speller)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("申请人应当在规定期限内提交申情材料。", "情", "请"),
        ("各部门要加强安全生产监督菅理工作。", "菅", "管"),
        ("县人民政俯办公室负责组织实施。", "俯", "府"),
        ("依法追究刑事责认。", "认", "任"),
        ("加强基础设施建没，改善人居环境。", "没", "设"),
        ("会后，与会人员进行了广范讨论。", "范", "泛"),
        ("有效保障粮食安全和重要农产品供结。", "结", "给"),
        ("国家税务总局呼和浩特市税物局。", "物", "务"),
    ],
)
def test_a_wrong_character_is_found_with_the_right_one(
    speller: Speller, text: str, wrong: str, right: str
) -> None:
    (one,) = found(speller, text)
    assert (one.gate, one.rule, one.severity) == ("wording", "wording.spelling", "warn")
    assert (one.text, one.suggestion) == (wrong, right)
    assert text[one.start : one.end] == wrong
    assert wrong in one.reason
    assert one.basis


@pytest.mark.parametrize(
    "text",
    [
        "申请人应当在规定期限内提交申请材料。",
        "县人民政府办公室负责组织实施，各乡镇配合做好相关工作。",
        "本办法自2026年12月1日起施行，有效期五年。",
        "咨询电话：0471-1234567，联系人：王茗、李筱。",
        "青河岭村的王大娘说，青河岭村修了新路。",
        "从下月起在县政务服务平台领取，本县户籍人员均可申请。",
        "",
        "ABC 123 !?",
    ],
)
def test_a_right_text_is_left_alone(speller: Speller, text: str) -> None:
    assert found(speller, text) == []


def test_what_is_less_sure_is_only_a_hint(speller: Speller) -> None:
    text = "全县上下要同心协力，共渡难关，确保就业形式总体稳定，群众生活有保障。"
    sure = {one.start: one.certainty for one in speller.find(text, HINT)}
    loud = {one.start for one in found(speller, text)}
    assert loud == {start for start, certainty in sure.items() if certainty >= WARN}
    assert {one.start for one in found(speller, text, hints=True)} == set(sure)


def test_offsets_count_code_points_of_the_original(speller: Speller) -> None:
    text = "😀通知：\n各部门要加强安全生产监督菅理工作。"
    (one,) = found(speller, text)
    assert text[one.start] == "菅"


def test_the_offices_own_words_are_learned() -> None:
    text = "新星社区在收到签名后回复。"
    assert "星" in [one.wrong for one in Speller.load().find(text, HINT)]
    taught = Speller.load(own_texts=["新星社区在收到反映后回复。"] * 3)
    assert "星" not in [one.wrong for one in taught.find(text, HINT)]


def test_without_a_speller_nothing_is_said_about_spelling() -> None:
    draft = GateText("", "县人民政俯办公室", "原创", date(2026, 11, 25))
    assert run_gates(draft, RULES, NoFacts(), include_hints=True) == []


def test_counts_are_found_by_their_buckets() -> None:
    dice = np.random.default_rng(1)
    keys = np.unique(dice.integers(0, 1 << 52, 5000).astype(np.uint64))
    held, absent = keys[::2], keys[1::2]
    grams = Grams(held, np.arange(1, len(held) + 1, dtype=np.float32), held.astype(np.float32))
    asked = np.concatenate([held, absent])
    expected = np.r_[np.arange(1, len(held) + 1), np.zeros(len(absent))]
    assert grams.count(asked).tolist() == expected.tolist()
    place, found_there = grams.find(held)
    assert found_there.all()
    assert grams.more[0][place].tolist() == held.astype(np.float32).tolist()
    empty = Grams(held[:0], np.zeros(0, np.float32))
    assert empty.count(asked).tolist() == [0] * len(asked)


def test_a_word_list_is_read_as_line_by_line() -> None:
    rows = [("B超", 3), ("一下", 12), ("丁", 40), ("一下子", 3), ("北京大学", 2053), ("上下", 0)]
    text = "".join(f"{word} {often} n\n" for word, often in rows)
    alphabet = Alphabet("一下子北京大学丁上")
    listed = Listed(alphabet, text)
    for length in (2, 3, 4):
        ids, often = listed.words(length)
        expected = [(alphabet.ids(word).tolist(), n) for word, n in rows if len(word) == length]
        assert list(zip(ids.tolist(), often.tolist(), strict=True)) == expected
    words = Words(alphabet, listed, ["北京", "一下", "外省"])
    assert [len(grams.keys) for grams in words.grams] == [2, 1, 1]  # rare and unknown ones are out
    assert words.grams[0].values.tolist() == pytest.approx([math.log10(51)] * 2)


@pytest.mark.parametrize(
    "text",
    [
        "案涉合同有效。",
        "依法设立的经纪组织。",
        "网格员入户走访。",
        "必须经常务会议或全体会议决定。",
        "推进秸秆全量利用。",
        "一经查实，依法处理。",
        "罪犯寄押期间的费用由送押单位承担。",
        "海关对符合条件的货物予以核放。",
        "增品种、提品质、创品牌。",
        "对符合条件的企业给予容缺受理。",
        "申请资料可以经授权后引用。",
        "集团有限公司副总经理李文新表示，铁路部门不卖无座票。",
        "网帖反映的问题属实，已向发帖人说明。",
        "蔡某以“四不两直”方式检查社区疫情防控工作。",
        "药品集采后，医联体的药价下降。",
    ],
)
def test_words_of_law_and_administration_are_no_misspellings(speller: Speller, text: str) -> None:
    assert found(speller, text) == []


def test_a_slip_made_twice_is_told_both_times(speller: Speller) -> None:
    told = found(speller, "市人名政府印发通知，县人名政府贯彻落实。")
    assert [(one.text, one.suggestion) for one in told] == [("名", "民"), ("名", "民")]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("《关于加强组职领导的通知》已经印发。", ["职"]),
        ("根据《关于加强安全生产监督菅理的通知》要求，现通知如下。", ["菅"]),
        ("依照《中华人民共和国招标投标法》办理。", []),
        ("电影《你好，李焕英》上映。", []),
    ],
)
def test_a_title_is_spelled_unless_it_is_known(
    speller: Speller, text: str, wrong: list[str]
) -> None:
    assert [one.text for one in found(speller, text)] == wrong


@pytest.mark.parametrize(
    "text",
    [
        "高中2月10日云开课。",
        "对确诊患者医疗费用单独核算，不受总额控制，地铁客流虽大幅下降，严防严控却不放松。",
        "纳税人原需要在今年3月申报缴纳的税款可以延期。",
        "多名关员主动请缨，24小时接听。",
        "原则上不采取“一刀切”式禁行措施。",
        "网友您好！L3县七中招生260人。",
        "降低并统一大病保险起付线，报销比例提高到60%。",
        "做好返校师生、返攀务工人员健康提示。",
        "膜侧种植推广一膜多用、行间覆盖等技术。",
        "对逾期补检或者重检的，按检疫程序办理。",
        "此件公开发布。",
    ],
)
def test_odd_words_of_real_notices_are_no_warning(speller: Speller, text: str) -> None:
    assert speller.find(text) == []


def test_slips_of_real_replies_are_still_told(speller: Speller) -> None:
    text = "对投拆人所说已予核实，前堤是依法。\n家长代表坐谈听证。\n学雷峰志愿服务队成立。"
    assert {one.right for one in speller.find(text)} >= {"诉", "提", "座", "锋"}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("不要以偏盖全。", "概"),
        ("严历打击违法行为。", "厉"),
        ("一如即往地支持。", "既"),
        ("做到举一返三。", "反"),
        ("文件要求高屋见瓴。", "建"),
        ("顺着珠丝马迹查找。", "蛛"),
        ("领导亲车简从。", "轻"),
    ],
)
def test_an_idiom_with_one_character_wrong_is_told(speller: Speller, text: str, right: str) -> None:
    assert right in [one.right for one in speller.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "出现四肢乏力症状。",
        "落实门前五包责任。",
        "能否通过平台发布。",
        "责任意识缺失。",
        "历经磨难。",
    ],
)
def test_words_that_share_three_characters_with_an_idiom_are_left_alone(
    speller: Speller, text: str
) -> None:
    assert speller.find(text) == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("坚持以人民为中新的发展思想。", "心"),
        ("确保人民群众生命材产安金。", "财全"),
        ("以壮士断碗的决心推进改革。", "腕"),
        ("落实意识形态公作责任制。", "工"),
        ("铸牢中华民族共同体意实。", "识"),
    ],
)
def test_a_set_phrase_with_a_character_wrong_is_told(
    speller: Speller, text: str, right: str
) -> None:
    assert [one.right for one in speller.find(text) if one.told] == list(right)


@pytest.mark.parametrize(
    "text",
    [
        "党的二十届三中全会以来，坚持以人民为中心。",
        "县教育局、县公安局负责，县人民检察院配合。",
        "全面深化医改，加强公共服务设施建设，保障生产安全。",
        "行政处分与行政处罚不同，市场主题活动如期举行。",
    ],
)
def test_what_is_only_near_a_set_phrase_is_left_alone(speller: Speller, text: str) -> None:
    assert speller.find(text) == []
