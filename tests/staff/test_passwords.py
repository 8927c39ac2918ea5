"""What a password must be: long and not common, of whatever characters."""

import pytest

from staff.passwords import COMMON, MOST, THEIRS, password_faults
from staff.people import hash_password, password_holds


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "至少 10 个字符"),
        ("九个汉字不够长的呀", "至少 10 个字符"),
        ("x" * (MOST + 1), "最多 200 个字符"),
        ("aaaaaaaaaaaa", "重复或顺着数"),
        ("12121212121212", "重复或顺着数"),
        ("abcdefghijkl", "重复或顺着数"),
        ("zhaoguoqiang", "所剩无几"),
        ("ZhaoGuoQiang1", "所剩无几"),
        ("shenfa2026", "所剩无几"),
        ("赵国强赵国强赵国强赵", "重复"),
        ("qwertyuiop", "常用密码"),
        ("Password2026!", "常用密码"),
        ("1qaz2wsx3edc", "常用密码"),
        ("woaini1314520", "常用密码"),
        ("ｑｗｅｒｔｙｕｉｏｐ", "常用密码"),  # full width: the same keys
    ],
)
def test_it_refuses_what_guessers_begin_with(password: str, words: str) -> None:
    found = password_faults(password, ("zhaoguoqiang", "赵国强"))
    assert [words in one.message for one in found] == [True], found


@pytest.mark.parametrize(
    "password",
    [
        "qing-he-2027",
        "lanyangjifengxue",
        "四只蓝羊 在雪地里唱歌",
        "correct horse battery",
        "kkq7twpz4m",
    ],
)
def test_it_asks_for_no_sorts_of_characters(password: str) -> None:
    assert password_faults(password, ("zhaoguoqiang", "赵国强")) == []


def test_our_own_list_is_clean_and_the_packaged_one_is_long() -> None:
    words = [one for one in COMMON.read_text("utf-8").splitlines() if not one.startswith("#")]
    assert words == sorted(set(words))
    assert all(one == one.lower() and len(one) >= 6 for one in words)
    assert THEIRS.read_text("utf-8").count(",") > 90_000


async def test_the_same_letters_of_another_keyboard_open() -> None:
    stored = await hash_password("café 与 ２０２６ 年")
    assert await password_holds(stored, "cafe\u0301 与 2026 年")
    assert not await password_holds(stored, "cafe 与 2026 年")
