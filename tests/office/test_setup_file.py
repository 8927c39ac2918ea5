"""A wrong setup.yaml: every fault in one clear line, all of them at once, and nothing is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from typer.testing import CliRunner

from app import open_shenfa
from bot.models import Account
from cli import shenfa as tree
from config.clock import beijing, now
from config.settings import Settings
from config.setup import EXAMPLE, Setup, SetupError
from config.setup_faults import form_faults
from demo.cast import CAST, filled, setup
from office.setup import initialise
from office.setup_check import read_setup

SANDBOX = "http://127.0.0.1:9"
Edit = Callable[[dict[str, Any]], object]


def put(*way: Any) -> Edit:
    """Give the field at the end of a way a value; the last of `way` is that value."""

    def edit(data: dict[str, Any]) -> None:
        part: Any = data
        for step in way[:-2]:
            part = part[step]
        part[way[-2]] = way[-1]

    return edit


def drop(*way: Any) -> Edit:
    """Take the field at the end of a way out."""

    def edit(data: dict[str, Any]) -> None:
        part: Any = data
        for step in way[:-1]:
            part = part[step]
        del part[way[-1]]

    return edit


A, S, P = "accounts", "sources", "staff"
WRONG: list[tuple[Edit, str]] = [
    (put("organisation", ""), "organisation：太短或是空的"),
    (put("organization", "青禾县"), "organization：没有“organization”这一项，最接近"),
    (put(P, []), "人员 staff：是空的"),
    (put(P, 0, "login", "Editor 1"), "人员 staff[1].login：写法不对：请改正，小写字母开头"),
    (put(P, 1, "login", "editor"), "人员 staff[2].login：登录名 editor 写了两次"),
    (put(P, 0, "name", 7), "人员 staff[1].name：应是文字"),
    (put(P, 2, "roles", ["reviewer"]), "人员 staff[3].roles[1]：没有角色“reviewer”"),
    (put(P, 0, "password", "short"), "人员 staff[1].password：密码至少 10 个字符"),
    (put(P, 6, "alarm", 0, {"sms": 1}), "duty1 的 alarm：第 1 种提醒方式：不认识的"),
    (put(P, 6, "alarm", 0, {"mail": "duty"}), "duty1 的 alarm：第 1 种提醒方式：邮件"),
    (put(P, 6, "phone", "1"), "人员 staff[7].phone：没有“phone”这一项"),
    (put(A, 0, "slug", "青禾"), "账号 accounts[1].slug：写法不对"),
    (put(A, 0, "platform", "weixin"), "账号 accounts[1].platform：平台 platform 只能是 wechat"),
    (put(A, 0, "api_base", "http://x.cn"), "账号 accounts[1].api_base：接口地址 api_base 必须"),
    (drop(A, 0, "secrets", "token"), "账号 accounts[1].secrets：账号 qinghe-wx 缺少密钥字段"),
    (put(A, 0, "secrets", "aes_key", "k"), "账号 accounts[1].secrets：消息加解密密钥 aes_key"),
    (put(A, 0, "secrets", "appsecret", "k"), "accounts[1].secrets.appsecret：没有密钥“appsecret”"),
    (put(A, 0, "settings", {"push": "all"}), "accounts[1].settings.push：“all”不能用：请写 each"),
    (put(A, 1, "settings", {"per_sec": 1}), "accounts[2].settings.per_sec：没有设置“per_sec”"),
    (put(A, 1, "assessment_ref", ""), "账号 accounts[2].assessment_ref：启用 Telegram 账号须先"),
    (put(A, 1, "slug", "qinghe-wx"), "账号 accounts[2].slug：账号代号 qinghe-wx 写了两次"),
    (put(S, 0, "hosts", ["https://a.cn/x"]), "稿源 sources[1].hosts：“https://a.cn/x”不是完整的域名"),
    (put(S, 0, "basis", "无"), "稿源 sources[1].basis：太短或是空的"),
    (put(S, 0, "valid_from", "年初"), "稿源 sources[1].valid_from：应是日期：请改正，例如"),
    (put(S, 0, "valid_to", "2025-01-01"), "稿源 sources[1].valid_to：有效期必须晚于生效时间"),
    (put(S, 0, "topics", ["jobs"]), "稿源 sources[1].topics[1]：没有主题“jobs”"),
    (put(S, 0, "allow_http", "也许"), "稿源 sources[1].allow_http：应是 true 或 false"),
    (put(S, 0, "columns", 0, "kind", "rss"), "columns[1].kind：写法不对：请改正，只能是"),
    (put(S, 0, "columns", 0, "url", "https://b.cn/"), "columns[1].url：域名 b.cn 不在 hosts 里"),
    (put(S, 0, "columns", 0, "every_minutes", 0), "columns[1].every_minutes：太小"),
    (put("roster", 0, "login", "duty9"), "值班表 roster[1].login：值班表里的 duty9 不在"),
    (put("roster", 0, "topic", "jobs"), "值班表 roster[1].topic：没有主题“jobs”"),
    (put("roster", 0, "tier", 12), "值班表 roster[1].tier：太大"),
    (put("policies", ["没有.docx"]), "政策文件 policies[1]：没有.docx：文件打不开"),
    (put("levels", {"一般": {}}), "审核级次 levels.一般：没有这个类别"),
    (put("levels", {"日常": {"levels": []}}), "审核级次 levels.日常：类别“日常”至少要有两级审核"),
    (put("calendar", {"hotline": 12345}), "工作日历 calendar.hotline：hotline 应写成带引号"),
    (put("second_factor_from", "2099-01-01"), "second_factor_from：最多宽限一周"),
]  # fmt: skip


def run_init(tmp_path: Path, text: str) -> tuple[int, list[str]]:
    file, home = tmp_path / "setup.yaml", tmp_path / "home"
    file.write_text(text, encoding="utf-8")
    env = {"SHENFA_DEV": "1", "SHENFA_DEV_ALLOW": SANDBOX.removeprefix("http://")}
    words = ["init", "--from", str(file), "--home", str(home)]
    done = CliRunner().invoke(tree, words, env=env)
    assert not home.exists(), "something was made of a wrong file"
    assert "Traceback" not in done.output
    return done.exit_code, done.stderr.splitlines()


def test_the_file_that_the_wrong_ones_are_made_of_is_right() -> None:
    assert form_faults(setup(SANDBOX)) == []


@pytest.mark.parametrize(("edit", "words"), WRONG, ids=[words for _, words in WRONG])
def test_each_wrong_field_is_one_line_with_its_place_and_nothing_is_made(
    tmp_path: Path, edit: Edit, words: str
) -> None:
    data = setup(SANDBOX)
    edit(data)
    code, lines = run_init(tmp_path, yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    assert (code, len(lines)) == (2, 1), lines
    assert words in lines[0]
    assert lines[0].startswith("setup.yaml ")


def test_all_faults_of_a_file_are_told_in_one_run_in_the_order_of_its_lines(tmp_path: Path) -> None:
    # Two faults of one field, and a fault beside what is gone, cannot stand in one file.
    alone = [
        *("人员 staff：", "人员 staff[2].login", "账号 accounts[1].platform", "accounts[2].slug"),
        *("稿源 sources[1].hosts", "accounts[1].secrets：消息", "accounts[1].slug"),
        *("sources[1].valid_", "sources[1].allow_http", "：不认识的", "levels.一般"),
    ]
    data = setup(SANDBOX)
    together = [(edit, words) for edit, words in WRONG if not any(one in words for one in alone)]
    for edit, _ in together:
        edit(data)
    code, lines = run_init(tmp_path, yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    assert (code, len(together) > 24) == (2, True)
    for _, words in together:
        assert any(words in line for line in lines), words
    assert len(lines) == len(together)
    numbers = [int(line.split("第 ")[1].split(" 行")[0]) for line in lines]
    assert numbers == sorted(numbers)


def test_the_example_as_it_is_written_is_told_what_is_still_to_be_filled_in(tmp_path: Path) -> None:
    code, lines = run_init(tmp_path, EXAMPLE.read_text(encoding="utf-8"))
    blanks = [
        line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if ': "请填写' in line
    ]
    assert (code, len(lines)) == (2, len(blanks))
    assert all("还没有填写：请换成本单位的值" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 一\n- 二\n", "应写成一项项“名称: 值”"),
        ("", "应写成一项项“名称: 值”"),
        ("staff: [\n", "不是有效的 YAML，请检查缩进和引号"),
        ("a: &a 1\nb: *a\n", "不能使用引用"),
    ],
)
def test_what_is_no_setup_at_all_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    code, lines = run_init(tmp_path, text)
    assert (code, len(lines)) == (2, 1)
    assert words in lines[0]


def test_a_name_that_stands_twice_is_told_and_not_the_last_taken(tmp_path: Path) -> None:
    code, lines = run_init(tmp_path, filled(SANDBOX) + "\norganisation: 别的单位\n")
    assert (code, len(lines)) == (2, 1)
    assert "organisation：写了两次" in lines[0]


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(SetupError, match=r"nowhere\.yaml：打不开"):
        read_setup(tmp_path / "nowhere.yaml", settings)
    (tmp_path / "gb.yaml").write_bytes("单位".encode("gb18030"))
    with pytest.raises(SetupError, match="不是 UTF-8"):
        read_setup(tmp_path / "gb.yaml", settings)


def fields(model: Any) -> set[str]:
    """Every field of the file, those of its sections too."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in getattr(field.annotation, "__args__", ()):
            found |= fields(inner) if hasattr(inner, "model_fields") else set()
    return found


def test_the_example_explains_every_field_there_is() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert len(fields(Setup)) > 30
    assert [name for name in sorted(fields(Setup)) if name not in text] == []


def test_example_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    done = CliRunner().invoke(tree, ["init", "--example", "--from", str(file)])
    assert (done.exit_code, file.read_text("utf-8")) == (0, EXAMPLE.read_text("utf-8"))
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("mine", encoding="utf-8")
    again = CliRunner().invoke(tree, ["init", "--example", "--from", str(file)])
    assert isinstance(again.exception, ValueError)
    assert "已经有了" in str(again.exception)
    assert file.read_text("utf-8") == "mine"


NOTICE = """关于高校毕业生就业补贴的通知

青人社发〔2026〕9号

第一条 高校毕业生在本县就业满六个月的，可以申领一次性就业补贴一千元。

第二条 本通知自2026年1月1日起施行，有效期至2028年12月31日。
"""


async def test_the_example_with_the_values_of_the_sandbox_makes_an_office(tmp_path: Path) -> None:
    file = tmp_path / "setup.yaml"
    (tmp_path / "政策.txt").write_text(NOTICE, encoding="utf-8")
    text = filled(SANDBOX).replace("policies: []", "policies: [政策.txt]")
    text = text.replace('hotline: "12345"', 'hotline: "0482-1234567"')
    file.write_text(text, encoding="utf-8")
    settings = Settings(home=tmp_path / "home", dev=True, dev_allow=SANDBOX.removeprefix("http://"))
    made = await initialise(settings, read_setup(file, settings))
    assert [(row["login"], row["name"]) for row in made["staff"]] == [one[:2] for one in CAST]
    assert made["warnings"] == []
    async with open_shenfa(settings) as opened:
        await opened.signed.refresh()
        assert opened.signed.held("calendar").hotline == "0482-1234567"
        (policy,) = await opened.library.standing()
        assert policy.doc_number == "青人社发〔2026〕9号"
        answer = await opened.knowledge.ask("高校毕业生就业补贴怎么申领", beijing(now()).date())
        assert "一次性就业补贴" in str(answer)
        assert (await opened.ledger.verify_whole()).ok
        async with opened.db.session() as session:
            accounts = {row.slug for row in (await session.scalars(select(Account))).all()}
    assert accounts == {"qinghe-wx", "qinghe-tg"}


SECRET = NOTICE.replace("第一条", "机密★5年\n\n第一条")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.txt": SECRET}, "保密检查不通过"),
        ({"a.txt": NOTICE, "b.txt": NOTICE}, "在 a.txt 里已经有了：请去掉一份"),
        ({"a.exe": "x"}, "不支持这种文件"),
    ],
)
def test_a_policy_that_cannot_come_in_stops_the_making(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    data = setup(SANDBOX) | {"policies": list(files)}
    code, lines = run_init(tmp_path, yaml.safe_dump(data, allow_unicode=True))
    assert (code, len(lines)) == (2, 1), lines
    assert words in lines[0]
