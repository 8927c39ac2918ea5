"""`shenfa topics`: who follows what, as numbers, and lists that cannot match or are silent."""

from collections.abc import Mapping
from typing import Any

import typer
from sqlalchemy import select

from app import Shenfa
from bot.delivery.digested import Left, digest_days, digests_left
from bot.models import Account, DigestDay
from commands.governing import run
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Home, Json
from config.clock import beijing
from facets.learning import ENOUGH, Learned, examples_of, learned
from subscriptions.audit import FAULTS, Found, audited
from subscriptions.departures import HOW, LEAST, masked
from subscriptions.figures import SILENCE, Topic, approved_texts, pushed, topics_of

group = new_group("订阅主题：人数、增减、静默、退订原因；audit 找收不到的")


@group.callback(invoke_without_command=True, no_args_is_help=False)
def topics(ctx: typer.Context, *, home: Home = None, as_json: Json = False) -> None:
    """订阅主题：人数、增减、静默、退订原因；audit 找收不到的"""
    if ctx.invoked_subcommand is not None:
        return

    async def work(opened: Shenfa) -> list[Topic]:
        async with opened.db.session() as session:
            return await topics_of(session, opened.taxonomy, await pushed(session))

    for one in run(home, work):
        say(_row(one) if as_json else _line(one), as_json=as_json)


@group.command("audit")
def topics_audit(*, home: Home = None, as_json: Json = False) -> None:
    """永远收不到、只收得到一部分、90 天没有推送的订阅；有永远收不到的时退出码为 1。"""

    async def work(opened: Shenfa) -> list[Found]:
        async with opened.db.session() as session:
            return await audited(session, opened.taxonomy, await pushed(session))

    found = run(home, work)
    for one in found:
        row = {**vars(one), "fault": one.fault.value, "people": masked(one.people)}
        words = (
            f"{FAULTS[one.fault]}  {one.asked}（{one.account}，{masked(one.people)} 人）：{one.why}"
        )
        say(row if as_json else words, as_json=as_json)
    if not found and not as_json:
        say("没有收不到的订阅")
    if any(one.fault == "never" for one in found):
        raise SystemExit(1)


@group.command("digests")
def topics_digests(*, home: Home = None, as_json: Json = False) -> None:
    """近 14 天每天的汇总：起止、发出、含稿件、跳过、没有成功，和还在等的人数。"""

    async def work(opened: Shenfa) -> tuple[list[DigestDay], dict[str, Left], dict[str, str]]:
        async with opened.db.session() as session:
            found = await session.execute(select(Account.id, Account.slug))
            names = {row.id: row.slug for row in found}
            return [*await digest_days(session)], await digests_left(session), names

    days, left, names = run(home, work)
    for day in days:
        say(digest_row(day, names) if as_json else digest_line(day, names), as_json=as_json)
    for account, one in left.items():
        row = {"account": names.get(account, account), "due": one.now, "later": one.later}
        words = f"{row['account']}  到点还没发出的 {one.now} 人，等着下一次汇总的 {one.later} 人"
        say(row if as_json else words, as_json=as_json)
    if not (days or left or as_json):
        say("14 天里没有汇总，也没有人在等")


@group.command("learn")
def topics_learn(*, home: Home = None, as_json: Json = False) -> None:
    """从审核通过的稿件学分类用词的权重，写成分类全文，核对后提出；每个词都写明为什么。

    学到的写在 learned 里，人写的词不改。存成 taxonomy.yaml，先用 shenfa eval tags --taxonomy
    看好坏，再用 shenfa settings propose 提出，由另一人批准后才生效。
    """

    async def work(opened: Shenfa) -> tuple[str, list[Learned]]:
        held = opened.signed.proved("taxonomy")
        if held is None:
            raise BadInput("现有的分类与签名的台账不符：请看事件页")
        async with opened.db.session() as session:
            rows = await approved_texts(session)
        return learned(held.text, examples_of(rows))

    text, found = run(home, work)
    if as_json:
        for one in found:
            say({**vars(one), "why": one.why}, as_json=True)
    elif found:
        say(text.rstrip("\n"))
    else:
        raise BadInput(f"还没有可学的：审核通过并选了推送对象的稿件，同一个词至少要 {ENOUGH} 篇")


def digest_row(one: DigestDay, names: Mapping[str, str]) -> dict[str, Any]:
    """One day for a program; `names` are those of accounts."""
    counts = {name: getattr(one, name) for name in ("messages", "items", "skipped", "failed")}
    when = {"day": one.day, "began": one.began, "newest": one.newest}
    return {"account": names.get(one.account_id, one.account_id), **when, **counts}


def digest_line(one: DigestDay, names: Mapping[str, str]) -> str:
    """One day for people."""
    span = f"{beijing(one.began):%H:%M}–{beijing(one.newest):%H:%M}"
    words = f"{one.day}  {names.get(one.account_id, one.account_id)}  {span}"
    counts = f"发出 {one.messages}，含稿件 {one.items}，跳过 {one.skipped}，没有成功 {one.failed}"
    return f"{words}  {counts}"


def _row(one: Topic) -> dict[str, Any]:
    reasons = {how: n if n >= LEAST else f"<{LEAST}" for how, n in one.reasons.items()}
    numbers = {"people": one.people, "unreachable": one.unreachable}
    growth = {"began": one.began, "left": one.left, "growth": one.began - one.left}
    silent = {"last_push": one.last, "silent_days": one.silent}
    return {"topic": one.key, "label": one.label, **numbers, **growth, **silent, "reasons": reasons}


def _line(one: Topic) -> str:
    silent = f"超过 {SILENCE.days} 天没有推送" if one.silent is None else f"{one.silent} 天前推送过"
    words = f"{one.label}  {one.people} 人  30 天 +{one.began} −{one.left}  {silent}"
    told = sorted(one.reasons.items(), key=lambda pair: -pair[1])
    why = "、".join(f"{HOW.get(how, how)} {masked(number)}" for how, number in told)
    return f"{words}  退订：{why}" if why else words
