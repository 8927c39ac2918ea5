"""What a password must be: long and not common, of whatever characters."""

import subprocess
import sys
from pathlib import Path

import pytest

from staff.passwords import COMMON, MOST, password_faults
from staff.people import hash_password, password_holds

ROOT = Path(__file__).parents[2]
KNOWN = ("zhaoguoqiang", "赵国强", "青禾县人民政府", "qinghe-wx")


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
        ("青禾县人民政府2026", "所剩无几"),
        ("审发系统管理员2026", "所剩无几"),
        ("woaini1314520", "常用密码之列"),
        ("qwertyuiop", "容易被猜到：常用密码"),
        ("Password2026!", "容易被猜到：常用密码"),
        ("P@ssw0rd2026", "容易被猜到：常用密码"),
        ("1qaz2wsx3edc", "容易被猜到：常用密码"),
        ("ｑｗｅｒｔｙｕｉｏｐ", "容易被猜到：常用密码"),  # full width: the same keys
        ("admin12345678", "容易被猜到：常用密码"),
        ("admin@2026shenfa", "容易被猜到：常用密码"),
        ("root@123456789", "容易被猜到：常用密码"),
        ("test!!2026test", "容易被猜到：常用密码"),
        ("Qinghe@20261129", "容易被猜到：常用密码"),
        ("qinghe2026gov", "容易被猜到：常用密码"),
        ("zhaoguoqiang20261129", "容易被猜到：常用密码"),
        ("hunter2hunter2", "容易被猜到：常用密码"),
        ("neimenggu2026", "拼音"),
        ("zhengfuban123", "拼音"),
        ("xuanchuanbu", "拼音"),
        ("GongZuoRenYuan", "拼音"),
        ("hu-he-hao-te@2027", "拼音"),
    ],
)
def test_it_refuses_what_guessers_begin_with(password: str, words: str) -> None:
    found = password_faults(password, KNOWN)
    assert [words in one.message for one in found] == [True], found


@pytest.mark.parametrize(
    "password",
    [
        "qing-he-lan-yang-xue-2027",
        "lanyangjifengxue",
        "四只蓝羊 在雪地里唱歌",
        "correct horse battery",
        "kkq7twpz4m",
        "another password 1",
    ],
)
def test_it_asks_for_no_sorts_of_characters(password: str) -> None:
    assert password_faults(password, KNOWN) == []


def test_our_own_list_is_clean() -> None:
    words = [one for one in COMMON.read_text("utf-8").splitlines() if not one.startswith("#")]
    assert words == sorted(set(words))
    assert all(one == one.lower() and len(one) >= 6 for one in words)


def test_what_judges_is_loaded_when_a_password_is_set_and_not_before() -> None:
    code = "import sys, staff.passwords; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


async def test_the_same_letters_of_another_keyboard_open() -> None:
    stored = await hash_password("café 与 ２０２６ 年")
    assert await password_holds(stored, "cafe\u0301 与 2026 年")
    assert not await password_holds(stored, "cafe 与 2026 年")
