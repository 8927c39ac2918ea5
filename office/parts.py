"""The settings of an office: each text, who reads it, and the files a new office starts with.

Only `starting_texts` and `starting_templates` open the files; they are asked when an office is
made, and once for what it lacks when it is opened by a newer program.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import yaml

from bot.silence import parse_silence
from config.settings import CONFIG
from content_sources.link_look import Allowed
from escalations.calendar import parse_hours
from facets.moves import faults_between, told_between
from facets.taxonomy import parse_taxonomy
from handlers.released import SUBJECT as TEMPLATES
from handlers.released import seed_templates, standings
from handlers.templates import FIELDS, load_templates
from knowledge.speech import parse_answering, parse_synonyms
from knowledge.validity import parse_defaults
from ledger.append import Ledger, Transaction
from ledger.verify import Broken
from review_queue.classes import Triggers
from review_queue.window import parse_window
from review_queue.workflow import Workflow, load_workflows
from staff.proposals import INIT, Approval
from staff.settings import SUBJECT as SETTINGS
from staff.settings import Part, store_setting
from subscriptions.hours import parse_pushing
from supervision.open_data import parse_open_data


def parts_of(own_address: str) -> tuple[Part, ...]:
    """Every setting; `own_address` is where citizens and platforms reach this office."""
    return (
        Part("calendar", "值班时间和热线", parse_hours, "暂停转人工和报出热线"),
        Part("class_triggers", "类别触发词", Triggers.parse, "暂停提交和发送"),
        Part("links", "可以链接的网址", partial(Allowed.parse, own_address), "暂停核对链接"),
        Part(
            "taxonomy",
            "主题人群地区分类",
            parse_taxonomy,
            "暂停订阅和推送",
            faults_between,
            told_between,
        ),
        Part("answering", "答复用词", parse_answering, "暂停自动答复"),
        Part("synonyms", "群众说法对照", parse_synonyms, "暂停自动答复"),
        Part("library", "政策默认有效期", parse_defaults, "暂停录入政策"),
        Part("pushing", "推送时段", parse_pushing, "夜间 22 点至 7 点不推送，每日 9 点汇总"),
        Part("silence", "静默时段", parse_silence, "暂停发布和推送"),
        Part("open_data", "开放数据", parse_open_data, "不对外开放数据"),
        Part("publishing", "默认发布时限", parse_window, "新稿按 72 小时"),
    )


def starting_texts() -> Mapping[str, str]:
    """The text of every setting as the program brings it, by name."""
    return {part.name: (CONFIG / part.file).read_text(encoding="utf-8") for part in parts_of("")}


def starting_templates() -> Mapping[str, str]:
    """The reply templates the program brings, by name."""
    return load_templates(CONFIG / "replies.yaml").texts


def starting_levels() -> dict[str, Workflow]:
    """The levels of every class as the program brings them."""
    return load_workflows(CONFIG / "workflows.yaml")


NO_QUIET = """# 不设安静时段：这是演示或试用的单位。
version: 1
quiet_from: "00:00"
quiet_until: "00:00"
digest_hour: 9
"""


def calendar_of(own: Mapping[str, Any]) -> str:
    """The text of the setting `calendar` with these fields of an office's own; CalendarError."""
    text = starting_texts()["calendar"]
    if not own:
        return text
    whole = yaml.safe_load(text) | dict(own)
    parse_hours(whole)
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)


async def seed_texts(
    tx: Transaction, known: Collection[str] = (), own: Mapping[str, str] | None = None
) -> int:
    """The first signed version of every setting and template that is not `known`; how many.

    `own` are texts of the office instead of the program's. Each is read by its loader first: an
    office must not begin with what it could not use.
    """
    texts, start = {**starting_texts(), **(own or {})}, Approval(0, None, INIT, INIT)
    parts = [part for part in parts_of("") if f"{SETTINGS}:{part.name}" not in known]
    for part in parts:
        part.value(texts[part.name])
        await store_setting(tx, part.name, 1, texts[part.name], start)
    templates = {
        name: text
        for name, text in starting_templates().items()
        if f"{TEMPLATES}:{name}" not in known
    }
    if templates:
        await seed_templates(tx, templates)
    return len(parts) + len(templates)


async def seed_what_lacks(ledger: Ledger) -> int:
    """Give an office of an earlier version the texts it never had, once and signed; how many.

    What it has, whatever state it is in, stays: a file is no way back to a text of its own.
    """
    try:
        facts = await ledger.facts_of(["office", SETTINGS, TEMPLATES])
    except Broken:  # the console opens all the same; nothing that is not signed is believed
        return 0
    if not facts["office"]:
        return 0
    known = {f"{SETTINGS}:{one.body['setting']}" for one in facts[SETTINGS]}
    known |= {f"{TEMPLATES}:{name}" for name in standings(facts[TEMPLATES])}
    everything = {f"{SETTINGS}:{part.name}" for part in parts_of("")}
    everything |= {f"{TEMPLATES}:{name}" for name in FIELDS}
    if everything <= known:
        return 0
    async with ledger.transaction() as tx:
        return await seed_texts(tx, known)
