"""What an office file holds beside its text is read, or told."""

import io

from PIL import Image

from documents.beside import field_words
from documents.parts import Reading
from documents.reader import read_attachment
from tests.documents.raw_word import NAMES, docx, paragraph, text
from tests.gates.office_files import sheet, workbook


def _word(body: str, **parts: str) -> Reading:
    return read_attachment("通知.docx", docx(body, parts))


def _texts(reading: Reading) -> list[str]:
    return [part.text.strip() for part in reading.parts]


def _blocked(reading: Reading) -> list[str]:
    return [one.place for one in reading.faults if one.severity == "block"]


def test_document_variables_are_read() -> None:
    settings = '<w:settings NAMES><w:docVar w:name="k" w:val="联系王某"/></w:settings>'
    assert "联系王某" in _texts(_word(paragraph(text("公告")), settings=settings))


def test_the_end_of_a_paragraph_that_was_inserted_is_a_change() -> None:
    mark = '<w:rPr><w:ins w:id="1" w:author="李四"/></w:rPr>'
    found = _word(paragraph(text("一"), mark) + paragraph(text("二")))
    assert _blocked(found) == ["第 1 段的修订（李四插入的段落标记）"]


def test_a_picture_that_was_deleted_is_a_change_and_its_description_is_read() -> None:
    picture = '<w:r><w:drawing><wp:docPr descr="D:\\名单\\王某.png"/></w:drawing></w:r>'
    found = _word(paragraph(text("公告") + f'<w:del w:author="李四">{picture}</w:del>'))
    assert _blocked(found) == ["第 1 段的修订（李四删除的图片或对象）"]
    assert "D:\\名单\\王某.png" in _texts(found)
    assert not _blocked(_word(paragraph(text("公告") + picture)))


def test_a_reading_aid_does_not_cut_the_word_below_it() -> None:
    ruby = (
        "<w:r><w:ruby><w:rt><w:r><w:t>lì</w:t></w:r></w:rt>"
        "<w:rubyBase><w:r><w:t>历</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    )
    assert _texts(_word(paragraph(text("再接再") + ruby + text("行")))) == ["再接再历行", "lì"]


def test_fields_without_a_result_show_their_words() -> None:
    assert field_words(r" EQ \o\ac(□,急) ") == "□急"
    stacked = r' eq \* jc1 \* "Font:仿宋" \o \ad(\s \up 9(税务局),\s \do 5(统计局)) '
    assert field_words(stacked) == "税务局统计局"
    assert field_words(" MACROBUTTON DoIt [请填写单位] ") == "[请填写单位]"
    assert field_words(" PAGE ") == field_words(' HYPERLINK "mailto:a@b.cn" ') == ""
    code = "<w:r><w:instrText> MACROBUTTON X 张某 </w:instrText></w:r>"
    assert _texts(_word(paragraph(text("甲") + code + text("乙")))) == ["甲张某乙"]


def test_fields_one_after_another_and_simple_ones_are_read_each() -> None:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    ring = mark.format("begin") + r"<w:r><w:instrText> EQ \o\ac(○,{}) </w:instrText></w:r>"
    ring += mark.format("end")
    both = ring.replace("{}", "机") + ring.replace("{}", "密")
    assert _texts(_word(paragraph(both))) == ["○机○密"]
    simple = '<w:fldSimple w:instr=" MACROBUTTON X [填写电话] "/>'
    assert _texts(_word(paragraph(text("甲") + simple))) == ["甲[填写电话]"]


def test_what_a_field_asks_or_where_it_looks_is_read_beside_the_text() -> None:
    code = "<w:r><w:instrText> {} </w:instrText></w:r>"
    for said in ("FILLIN 张某身份证号", "INCLUDETEXT 内部名单.docx", "QUOTE 李某"):
        assert _texts(_word(paragraph(text("甲") + code.format(said)))) == ["甲", said]
    assert _texts(_word(paragraph(text("甲") + code.format("PAGE")))) == ["甲"]


def test_a_list_of_choices_a_chart_and_connections_of_a_workbook_are_read() -> None:
    choice = (
        '<dataValidations><dataValidation sqref="B2" prompt="问李某">'
        '<formula1>"甲,乙"</formula1></dataValidation></dataValidations></worksheet>'
    )
    one = sheet([["姓名"]]).replace("</worksheet>", choice)
    more = {
        "xl/charts/chart1.xml": f"<c:chart {NAMES}><a:p><a:r><a:t>低保</a:t></a:r></a:p></c:chart>",
        "xl/connections.xml": '<connections><connection><dbPr connection="Password=x"/>'
        "</connection></connections>",
    }
    found = read_attachment("表.xlsx", workbook({"一": one}, more=more))
    assert {"甲,乙", "问李某", "低保", "Password=x"} <= set(_texts(found))
    assert _blocked(found) == [""]


def test_properties_of_a_picture_are_read_in_their_own_encoding() -> None:
    properties = Image.Exif()
    properties[0x010E] = "王某拍摄".encode()
    properties[0x9C9C] = "值班室".encode("utf-16-le") + b"\0\0"
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=properties)
    assert _texts(read_attachment("图.jpg", out.getvalue())) == ["王某拍摄", "值班室"]
