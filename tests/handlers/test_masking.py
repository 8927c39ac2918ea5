"""What is hidden before it is stored, and what stays readable."""

import pytest

from handlers.commands import command_key
from handlers.masking import mask


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("电话13812345678", "13812345678"),
        ("电话 138 1234 5678", "1234"),
        ("电话１３８１２３４５６７８", "5678"),
        ("138-1234-5678", "5678"),
        ("电话1\u200b3812345678", "3812345678"),
        ("身份证11010519491231002x", "110105"),
        ("座机0474-8320000", "8320000"),
        ("卡号6222 0212 3456 7890 128", "7890"),
        ("邮箱 li.si+a@mail.example.cn", "li.si"),
        ("我叫张三", "张三"),
        ("住在幸福小区3号楼2单元501室", "501"),
    ],
)
def test_personal_data_is_hidden(said, secret) -> None:
    assert secret not in mask(said)


@pytest.mark.parametrize(
    "said",
    [
        "2026年6月的创业补贴5000元怎么领",
        "青政发〔2026〕3号第三条",
        "内政办发〔2022〕10号还有效吗",
        "毕业3年了，12345没接通",
    ],
)
def test_a_question_stays_readable(said) -> None:
    assert mask(said) == said


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("帮助", "help"),
        ("/help@qinghe_bot", "help"),
        ("/官方账号", "accounts"),
        ("为什么？", "why"),
        ("我要退订", "leave:all"),
        ("全部退订。", "leave:all"),
        ("t", "leave:all"),
        ("人工", "person"),
        ("退订就业", ""),
        ("为什么我的补贴没有到账", ""),
    ],
)
def test_plain_words_become_keys(said, key) -> None:
    assert command_key(said) == key
