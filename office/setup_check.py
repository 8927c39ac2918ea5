"""Whether a setup file can become an office: its form, and what must fit together, all at once.

Nothing is made here and nothing is written; policy files are read, because an office whose library
cannot be read would be made by half.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.accounts import NewAccount, account_faults
from bot.channels import CHANNELS
from bot.notice_settings import HOW, notices_fit
from config.clock import BEIJING, now
from config.settings import Settings
from config.setup import AccountSetup, Setup, SetupError, SourceSetup
from config.setup_faults import Readable, Wrong, form_faults, nearest, readable
from config.texts import FieldFault, Parsed, Step, TextFault, parse_text
from content_sources.source_fields import fields_from
from escalations.routes import line_of, line_problem
from facets import remit
from facets.taxonomy import starting_taxonomy
from gates.engine import RuleSet
from knowledge.changes import policy_form
from knowledge.documents import DocumentError, read_documents
from knowledge.library import import_payload
from office.checking import policy_findings
from office.parts import calendar_of, starting_levels
from review_queue.workflow import WorkflowError, read_workflow
from staff.factors import FIRST_WEEK
from staff.passwords import password_faults
from staff.refusal import Refused
from staff.roles import ROLES

_KINDS = ("service", "subscription", "服务号", "订阅号")
_PUSHES = ("each", "mass", "targeted")
ACCOUNT_SETTINGS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "kind": (lambda value: value in _KINDS, "service（服务号）或 subscription（订阅号）"),
    "push": (
        lambda value: value in _PUSHES,
        "each（逐个）、mass（群发）或 targeted（按受众群发）",
    ),
    "protected": (lambda value: isinstance(value, bool | str), "开了群发保护时由谁确认，或 true"),
    "per_second": (lambda value: _number(value, 0, 1000), "每秒几条，最多 1000；0 是不限速"),
    "passive_seconds": (lambda value: _number(value, 0, 4.5), "秒数，0 到 4.5"),
    "operator": (lambda value: isinstance(value, str), "运维单位的名称"),
    "contract_end": (lambda value: _is_day(value), '合同到期日，加引号，例如 "2027-12-31"'),
    "notices": (notices_fit, HOW),
    "notices_a_day": (lambda value: type(value) is int and value > 0, "一天最多几条通知，整数"),
    "window_count": (lambda value: _number(value, 1, 100), "条数，1 到 100 的整数"),
    "update_limit_days": (
        lambda value: type(value) is int and 2 <= value <= 366,
        "天数，2 到 366 的整数",
    ),
    remit.TOPICS: (lambda value: _in_taxonomy(remit.TOPICS, value), "分类里的主题，用顿号隔开"),
    remit.REGIONS: (lambda value: _in_taxonomy(remit.REGIONS, value), "分类里的地区，用顿号隔开"),
}
"""What an account's `settings` may say: whether a value can be used, and how it is written."""


def _is_day(value: Any) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _in_taxonomy(name: str, value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(remit.written(starting_taxonomy(), {name: value}))
    except ValueError:
        return False


def _number(value: Any, least: float, most: float) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and least <= value <= most


def read_setup(path: Path, settings: Settings) -> Setup:
    """The setup of a file, its policy files found beside it; SetupError with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path.name}：打不开（{error.strerror}），请检查路径") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path.name}：不是 UTF-8 文字，请另存为 UTF-8 编码") from error
    try:
        parsed = parse_text(text, path.name)
    except TextFault as fault:
        raise SetupError(str(fault)) from fault
    place = _Place(settings, path.parent)
    if wrong := [*_twice(parsed), *faults_of(parsed.data, place)]:
        placed = sorted((parsed.line(one.where), number) for number, one in enumerate(wrong))
        raise SetupError(*(f"{path.name} {wrong[at].line(line)}" for line, at in placed))
    setup = Setup.model_validate(parsed.data)
    return setup.model_copy(update={"policies": [str(place.file(one)) for one in setup.policies]})


def check_setup(setup: Setup, settings: Settings) -> None:
    """The same for a setup made in the program; SetupError with every fault."""
    given = setup.model_dump(exclude_unset=True)
    if wrong := faults_of(given, _Place(settings, Path())):
        raise SetupError(*(one.line() for one in wrong))


@dataclass(frozen=True)
class _Place:
    """Where an office is made: its settings, and the folder files are named from."""

    settings: Settings
    folder: Path

    def file(self, name: str) -> Path:
        return (self.folder / name).absolute()


def _twice(parsed: Parsed) -> Iterator[Wrong]:
    for where in parsed.twice():
        yield Wrong(where, "写了两次，只会留下后一个：请合为一项")


def faults_of(data: Any, place: _Place) -> list[Wrong]:
    """Every fault of a setup: of its form first, then of what does not fit together."""
    rows = readable(data)
    looks = (_people, _alarms, _roster, _accounts, _sources, _policies, _levels, _rest)
    fitting = [one for look in looks for one in look(rows, place)]
    # What is still to be filled in is told once, and not also for what it is not.
    return [*form_faults(data), *(one for one in fitting if not rows.blank_in(one.where))]


def _repeated(values: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for number, value in values.items():
        if value in seen:
            yield number, value
        seen.add(value)


def _named(rows: Readable) -> list[str]:
    """The names of the office and its accounts: who guesses knows them."""
    found = [one for row in rows.accounts.values() for one in (row.name, row.slug)]
    body = rows.data.get("organisation")
    return [body, *found] if isinstance(body, str) else found


def _people(rows: Readable, _: _Place) -> Iterator[Wrong]:
    ours = _named(rows)
    for number, row in rows.staff.items():
        for at, role in enumerate(row.roles):
            if role not in ROLES:
                known = "、".join(f"{name}（{label}）" for name, label in ROLES.items())
                yield Wrong(
                    ("staff", number, "roles", at), f"没有角色“{role}”：请改成 {known} 之一"
                )
        said = (row.login, row.name, *ours)
        faults = () if row.password is None else password_faults(row.password, said)
        for fault in faults:
            yield Wrong(
                ("staff", number, "password"), f"{fault.message}；也可以去掉这一行由系统生成"
            )
    for number, login in _repeated({key: row.login for key, row in rows.staff.items()}):
        yield Wrong(("staff", number, "login"), f"登录名 {login} 写了两次：请给每个人各起一个")


def _alarms(rows: Readable, place: _Place) -> Iterator[Wrong]:
    given = rows.data.get("accounts")
    accounts = {
        str(row.get("slug")): str(row.get("platform"))
        for row in (given if isinstance(given, list) else [])
        if isinstance(row, dict)
    }
    allowed = place.settings.allowed_private
    for number, person in rows.staff.items():
        for at, written in enumerate(person.alarm):
            try:
                words = line_problem(line_of(written, at + 1), accounts, allowed)
                words = f"第 {at + 1} 种提醒方式：{words}" if words else ""
            except Refused as refused:
                words = str(refused)
            if words:
                yield Wrong(("staff", number, "alarm", at), f"{person.login} 的 alarm：{words}")


def _roster(rows: Readable, _: _Place) -> Iterator[Wrong]:
    logins, topics = rows.named("staff", "login"), starting_taxonomy().names("topics")
    for number, row in rows.roster.items():
        if logins and row.login not in logins:
            words = f"值班表里的 {row.login} 不在人员 staff 中，请先加上"
            yield Wrong(("roster", number, "login"), words)
        if row.topic and row.topic not in topics:
            words = f"没有主题“{row.topic}”：{nearest(row.topic, list(topics))}"
            yield Wrong(("roster", number, "topic"), words)


def _accounts(rows: Readable, place: _Place) -> Iterator[Wrong]:
    for number, row in rows.accounts.items():
        new = NewAccount(organisation_id="", **row.model_dump())
        for name, words in account_faults(new, place.settings.allowed_private):
            yield Wrong(("accounts", number, name), words)
        yield from _odd_names(number, row)
    for number, slug in _repeated({key: row.slug for key, row in rows.accounts.items()}):
        yield Wrong(("accounts", number, "slug"), f"账号代号 {slug} 写了两次：请各起一个")


def _odd_names(number: int, row: AccountSetup) -> Iterator[Wrong]:
    """Secrets and settings that nobody would read: most often a name typed wrongly."""
    channel = CHANNELS.get(row.platform)
    known = channel.secrets if channel else tuple(row.secrets)
    for name in row.secrets:
        if name not in known:
            words = f"没有密钥“{name}”，{nearest(name, known)}"
            yield Wrong(("accounts", number, "secrets", name), words)
    for name, value in row.settings.items():
        if name not in ACCOUNT_SETTINGS:
            words = f"没有设置“{name}”，{nearest(name, list(ACCOUNT_SETTINGS))}"
            yield Wrong(("accounts", number, "settings", name), words)
        elif not ACCOUNT_SETTINGS[name][0](value):
            words = f"“{value}”不能用：请写 {ACCOUNT_SETTINGS[name][1]}"
            yield Wrong(("accounts", number, "settings", name), words)


def _sources(rows: Readable, _: _Place) -> Iterator[Wrong]:
    topics = starting_taxonomy().names("topics")
    for number, row in rows.sources.items():
        faults = dict(_source_faults(row))
        for name, words in faults.items():
            yield Wrong(("sources", number, name), words)
        for at, topic in enumerate(row.topics):
            if topic not in topics:
                words = f"没有主题“{topic}”，{nearest(topic, list(topics))}"
                yield Wrong(("sources", number, "topics", at), words)
        for at, url in _urls(rows, number) if "hosts" not in faults else ():
            if words := _column_fault(row, url):
                yield Wrong(("sources", number, "columns", at, "url"), words)


def _source_faults(row: SourceSetup) -> Iterator[tuple[str, str]]:
    days = {
        name: datetime.combine(day, time(), UTC).isoformat() if day else None
        for name, day in (("valid_from", row.valid_from), ("valid_to", row.valid_to))
    }
    try:
        fields_from(row.model_dump(exclude={"columns"}) | days)
    except Refused as refused:
        for reason in refused.reasons:
            yield "valid_from" if reason.rule == "time" else reason.rule, reason.message


def _urls(rows: Readable, number: int) -> Iterator[tuple[int, str]]:
    """The addresses of a source's columns, of those too that break the form elsewhere."""
    columns = rows.data["sources"][number].get("columns")
    for at, column in enumerate(columns if isinstance(columns, list) else []):
        if isinstance(column, dict) and isinstance(column.get("url"), str):
            yield at, column["url"]


def _column_fault(source: SourceSetup, url: str) -> str:
    """Why a column of this source could never be read; empty when it can."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.lower()
    except ValueError:
        return "不是网址：请以 https:// 开头写全"
    if parts.scheme not in ("http", "https") or not host:
        return "不是网址：请以 https:// 开头写全"
    if parts.scheme == "http" and not source.allow_http:
        return "是 http 地址：请改用 https，确实没有 https 的，把 allow_http 写成 true"
    if host not in source.hosts:
        return f"域名 {host} 不在 hosts 里：请加进 hosts，或改成其中一个域名的网址"
    return ""


def _policies(rows: Readable, place: _Place) -> Iterator[Wrong]:
    given, seen = rows.data.get("policies"), dict[str, str]()
    for number, name in enumerate(given if isinstance(given, list) else []):
        where = ("policies", number)
        if not isinstance(name, str):
            continue  # the form says so
        try:
            forms = [policy_form(import_payload(one)) for one in read_documents(place.file(name))]
        except (DocumentError, Refused) as error:
            words = "请改正文件，相对路径从 setup.yaml 所在的目录算起"
            yield Wrong(where, f"{error}：{words}")
            continue
        for form in forms:
            if form["id"] in seen:
                words = f"《{form['title']}》在 {seen[form['id']]} 里已经有了：请去掉一份"
                yield Wrong(where, words)
            elif words := _secret(form["title"], form["text"]):
                yield Wrong(where, words)
            seen.setdefault(form["id"], name)


def _secret(title: str, text: str) -> str:
    """Why the secrecy gate keeps a policy out of the library; empty when it does not."""
    for one in policy_findings(title, text, RuleSet.load()):
        if (one.gate, one.severity) == ("secrecy", "block"):
            return f"《{title}》保密检查不通过：{one.reason}，请核对后处理文件，或去掉这一份"
    return ""


def _levels(rows: Readable, _: _Place) -> Iterator[Wrong]:
    given, known = rows.data.get("levels"), starting_levels()
    for klass, row in (given if isinstance(given, dict) else {}).items():
        if klass not in known:
            yield Wrong(("levels", str(klass)), f"没有这个类别：{nearest(str(klass), list(known))}")
        elif isinstance(row, dict):
            try:
                read_workflow(str(klass), 1, row)
            except WorkflowError as error:
                yield Wrong(("levels", str(klass)), f"{error}：请照 config/workflows.yaml 改正")


def _rest(rows: Readable, _: _Place) -> Iterator[Wrong]:
    given = rows.data.get("calendar")
    if isinstance(given, dict) and given:
        try:
            calendar_of(given)
        except FieldFault as fault:
            where: tuple[Step, ...] = ("calendar", *fault.where)
            yield Wrong(where, f"{fault}：请照 config/calendar.yaml 改正")
    if late(rows.data.get("second_factor_from")):
        words = "最多宽限一周，从初始化起算：请写早一些的日期，或去掉这一行"
        yield Wrong(("second_factor_from",), words)


def late(day: Any) -> bool:
    """Whether a day is further away than the week in which a password alone signs in."""
    try:
        begin = datetime.fromisoformat(str(day)).replace(tzinfo=BEIJING)
    except ValueError:
        return False  # none, or the form says so
    return begin > now() + FIRST_WEEK
