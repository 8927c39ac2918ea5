"""The charset that fits wins over the one that is declared."""

import pytest

from documents.charset import decode

NEWS = "青禾县人民政府今天发布了关于做好就业工作的通知，要求各部门认真落实。"
TRADITIONAL = "縣政府今天發佈關於就業工作的通知，要求各部門認真落實，並加強對民眾的說明。"
WORDS = "<p>青禾县</p>"


def page(declared: str, text: str = NEWS) -> str:
    return f'<html><head><meta charset="{declared}"></head><body><p>{text}</p></body></html>'


@pytest.mark.parametrize("declared", ["utf-8", "gb2312", "gbk", "big5", "iso-8859-1", "nonsense"])
@pytest.mark.parametrize("actual", ["utf-8", "gb18030", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("header", ["", "text/html; charset=ISO-8859-1", "text/html;charset=gbk"])
def test_what_the_bytes_are_counts_not_what_the_page_says(
    declared: str, actual: str, header: str
) -> None:
    assert NEWS in decode(page(declared).encode(actual), header)


def test_big5_is_read_when_declared_and_when_not() -> None:
    for declared in ("big5", "Big5", "gb2312", "utf-8"):
        assert TRADITIONAL in decode(page(declared, TRADITIONAL).encode("cp950"))


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (WORDS.encode("gb18030"), ""),
        (WORDS.encode("gb18030"), "text/html; charset=utf-8"),
        (WORDS.encode(), "text/html; charset=gb2312-wrong"),
        (WORDS.encode("utf-16-be"), "text/html; charset=utf-16be"),
    ],
)
def test_a_short_page_is_read_too(body: bytes, header: str) -> None:
    assert decode(body, header) == WORDS


def test_rare_characters_beyond_gb2312_are_kept() -> None:
    assert "㙍县𠮷镕" in decode(page("gb2312", "㙍县𠮷镕").encode("gb18030"))


def test_western_pages_stay_western() -> None:
    text = "<p>Le maire de la ville a été réélu à l’unanimité, déclare-t-il.</p>"
    assert decode(text.encode("cp1252"), "text/html; charset=windows-1252") == text
    assert decode(b"<p>plain</p>", "text/html; charset=iso-8859-1") == "<p>plain</p>"


def test_a_few_broken_bytes_do_not_lose_a_page() -> None:
    body = page("gbk", NEWS * 20).encode("gb18030").replace("部".encode("gb18030"), b"\xff", 2)
    assert decode(body).count("青禾县人民政府") == 20
