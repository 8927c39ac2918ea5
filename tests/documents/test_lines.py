"""Lines of a page and the paragraphs they are."""

from itertools import accumulate

import pytest

from documents.lines import Line, Piece, in_order, lines_of, paragraphs, width_of

SIZE = 10.0


def _line(text: str, base: float, left: float = 0.0, size: float = SIZE) -> Line:
    return Line(text, left, left + width_of(text, size), base, size)


def _page(*texts: str, step: float = 15.0) -> list[Line]:
    """Lines one below the other; two blanks before one set it in."""
    return [
        _line(text.strip(), (at + 1) * step, 2 * SIZE if text.startswith("  ") else 0.0)
        for at, text in enumerate(texts)
    ]


def _said(*pages: list[Line]) -> list[str]:
    return [text for _, text in paragraphs(enumerate(pages, 1))]


def test_words_and_names_cut_by_the_end_of_a_line_are_whole() -> None:
    page = _page(
        "  会议要求单位按步就", "班推进，经与中国方的台", "湾地区协商，下周报送。", "  请准时。"
    )
    assert _said(page) == [
        "会议要求单位按步就班推进，经与中国方的台湾地区协商，下周报送。",
        "请准时。",
    ]
    plate = _page("各单位报送的名单里有车牌蒙", "B54321。")
    assert _said(plate) == ["各单位报送的名单里有车牌蒙B54321。"]


def test_numbers_cut_by_the_end_of_a_line_are_whole() -> None:
    page = _page("王某的身份证号是1101011990", "03072316，电话139", "00139000。")
    assert _said(page) == ["王某的身份证号是110101199003072316，电话13900139000。"]
    moved = _page("  联系人王某的身份证号是", "110101199003072316，请核。")
    assert _said(moved) == ["联系人王某的身份证号是110101199003072316，请核。"]


def test_rows_of_a_list_stay_apart() -> None:
    column = ["13900139000", "13900139001", "13900139002"]
    assert _said(_page(*column)) == column
    names = ["张三", "李四", "欧阳小明", "王五"]
    assert _said(_page(*names)) == names
    rows = ["1 张三 110101199003072316 13900139000", "2 李四 110101199003072316 13900139001"]
    assert _said(_page(*rows)) == rows


def test_a_title_over_two_lines_is_one_and_the_number_below_it_none_of_it() -> None:
    title = [
        Line("某市民政局关于印发某市高龄津贴发放和", 0, 360, 50, 20),
        Line("服务管理办法的通知", 90, 270, 80, 20),
    ]
    body = [_line("某民发〔2026〕12号", 110, 140), *_page("  各区民政局应当按照要求认真执行。")]
    body[1] = _line(body[1].text, 140, 20)
    assert _said([*title, *body]) == [
        "某市民政局关于印发某市高龄津贴发放和服务管理办法的通知",
        "某民发〔2026〕12号",
        "各区民政局应当按照要求认真执行。",
    ]


def test_a_paragraph_goes_on_over_the_page_and_its_number_is_no_part_of_it() -> None:
    first = _page("某市简报", "  补贴每人每月八百元，由", "各区的民政局按月足额发放到", "— 1 —")
    second = _page("某市简报", "本人的账户。", "  其他事项另行通知。", "— 2 —")
    assert _said(first, second) == [
        "某市简报",
        "补贴每人每月八百元，由各区的民政局按月足额发放到本人的账户。",
        "其他事项另行通知。",
    ]


def test_a_full_line_that_ends_a_sentence_goes_on_where_first_lines_are_set_in() -> None:
    first, second = "  救助按照规定的程序办理完毕后。", "经过县民政局研究才可以另外变更一次。"
    page = _page(first, second, "  违反本办法规定的单位将会受到", "处理：", first, second)
    page[0] = Line(page[0].text, 20, 175, 15, SIZE)
    page[1] = Line(page[1].text, 0, 175, 30, SIZE)
    page[2] = Line(page[2].text, 20, 175, 45, SIZE)
    said = _said(page)
    assert said[0] == first.strip() + second
    assert said[1] == "违反本办法规定的单位将会受到处理："


def test_signature_and_date_are_lines_of_their_own() -> None:
    page = _page("  请各单位遵照执行这些要求", "并及时报告。")
    page += [_line("某市民政局", 60, 70), _line("2026年5月20日", 75, 68)]
    assert _said(page)[-2:] == ["某市民政局", "2026年5月20日"]


def test_a_name_and_a_day_over_the_margin_are_not_where_lines_end() -> None:
    full = "对辖区内工作扎实且成效明显的单位予以表扬激励，对工作开展不力的及时督促整改限期解决问题"
    page = _page(f"  {full[:28]}", full[:30], full[3:33], "到位。", f"  {full[5:33]}", "落实。")
    page += [_line("某市民政局", 105, 280), _line("2026年5月20日", 120, 272)]
    assert [len(one) for one in _said(page)] == [91, 31, 5, 10]
    over = [*page[:-2], _line(full[:36], 105), _line("并及时报告。", 120)]
    assert _said(over)[0] == full[:28] + full[:30] + full[3:33] + "到位。"


def test_bold_that_is_drawn_twice_is_read_once_and_stretched_words_are_whole() -> None:
    twice = [Piece("通知", 0, 10, SIZE, 20), Piece("通知", 0, 10, SIZE, 20)]
    assert [line.text for line in lines_of(twice)] == ["通知"]
    spread = [Piece(char + " ", 18.0 * at, 10, SIZE, 15) for at, char in enumerate("县政府，通知")]
    assert [line.text for line in lines_of(spread)] == ["县政府，通知"]


@pytest.mark.parametrize("across", [40.0, 90.0])
def test_text_written_downwards_is_read(across: float) -> None:
    words = "停水通知︵今晚︶"
    places = accumulate([SIZE] * len(words))
    drawn = [
        Piece(char, across, base, SIZE, SIZE) for char, base in zip(words, places, strict=True)
    ]
    assert [line.text for line in lines_of(drawn)] == ["停水通知（今晚）"]


def test_lines_come_from_the_top_and_what_is_beside_another_in_its_row() -> None:
    found = in_order([_line("二", 30), _line("乙", 10.5, 90), _line("甲", 10)])
    assert [line.text for line in found] == ["甲 乙", "二"]
