"""组版: approved items put in order, to go out as one message of one account.

An edition is an item like others, with its own digest, levels and release. What it is made of is
chosen here; what is chosen is asked of each item again when it is submitted, scheduled and sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import CHANNELS
from bot.contract import State
from bot.models import Account, Publication
from bot.picture_message import KIND as PICTURES
from bot.render import first_picture
from config.clock import now
from review_queue.canonical import EDITION, LIBRARY_KINDS, Draft, InEdition
from review_queue.classes import RANKS, highest, rank
from review_queue.desk import Queue, fresh_levels
from review_queue.drafting import Origin, begin_item, edit
from review_queue.models import Item, ItemWords
from review_queue.placed import Standing, holders, numbered, standing_of
from review_queue.release_edition import article_reasons
from review_queue.states import ItemState
from review_queue.workflow import EMERGENCY
from staff.people import person_with
from staff.refusal import Reason, missing, refuse

WRITERS = frozenset({"editor"})
MOST_OFFERED = 200
_BY_ITSELF = (State.CREATED, State.RETRYING, State.SENDING)
"""Publications that will go out by themselves."""
_RELEASED = (ItemState.APPROVED, ItemState.SCHEDULED, ItemState.PUBLISHED)


@dataclass(frozen=True)
class Chosen:
    """What an edition is to be: one account, items in their order, a name for staff or none.

    An edition that is there keeps its account, whatever is said here.
    """

    account_id: str
    items: Sequence[str]
    title: str = ""


async def make_edition(queue: Queue, staff_id: str, chosen: Chosen) -> Item:
    """A new edition as a draft; Refused with every reason against it and its items."""
    await fresh_levels(queue)
    draft = await _drafted(queue, chosen)
    refuse(await made_of_faults(queue, "", draft))
    async with queue.ledger.transaction() as tx:
        await person_with(tx.session, staff_id, WRITERS)
        return await begin_item(queue, tx, draft, Origin(staff_id))


async def arrange(
    queue: Queue, edition_id: str, staff_id: str, version: int, chosen: Chosen
) -> Item:
    """Other items, another order, or the same items as they are approved now: a new revision.

    Like every change it voids what was approved of the edition; Refused with every reason.
    """
    async with queue.db.session() as session:
        standing = (await standing_of(session, {edition_id})).get(edition_id)
    old = Draft.from_canonical(standing.canonical) if standing is not None else None
    if old is None or not old.edition:
        raise missing("个组版")
    draft = await _drafted(queue, replace(chosen, account_id="".join(old.accounts)))
    draft = replace(draft, klass=highest([draft.klass, old.klass]))
    refuse(await made_of_faults(queue, edition_id, draft))
    names = ("edition", "title", "body", "cover", "klass", "not_before", "not_after")
    changes = {name: getattr(draft, name) for name in names}
    return await edit(queue, edition_id, staff_id, version, changes)


async def _drafted(queue: Queue, chosen: Chosen) -> Draft:
    """The draft of an edition, of what its items are now; what is not there is left to be named."""
    async with queue.db.session() as session:
        standing = await standing_of(session, set(chosen.items))
    drafts = [
        Draft.from_canonical(standing[one].canonical) for one in chosen.items if one in standing
    ]
    titles = [standing[one].title if one in standing else one for one in chosen.items]
    moment = now()
    return Draft(
        kind=EDITION,
        klass=highest([one.klass for one in drafts if one.klass in RANKS]) or "日常",
        title=(chosen.title.strip() or _title(titles))[:300],
        body="\n".join(f"{number}. {title}" for number, title in enumerate(titles, 1)),
        accounts=(chosen.account_id,),
        not_before=max([one.not_before for one in drafts], default=moment),
        not_after=min([one.not_after for one in drafts], default=moment),
        cover=first_picture(drafts[0].content) if drafts else "",
        edition=tuple(
            InEdition(one, standing[one].digest if one in standing else "") for one in chosen.items
        ),
    )


def named(title: str, body: str) -> str:
    """The name somebody gave an edition; empty where it has the one made of its articles."""
    titles = [line.partition(". ")[2] for line in body.split("\n")]
    return "" if title == _title(titles) else title


def _title(titles: Sequence[str]) -> str:
    """What an edition is called unless somebody names it; readers never see it."""
    more = f"等 {len(titles)} 篇" if len(titles) > 1 else ""
    return f"组版：{titles[0]}{more}"[:300] if titles else EDITION


async def made_of_faults(queue: Queue, edition_id: str, draft: Draft) -> list[Reason]:
    """Every reason why an edition cannot be made of these items in this order, or sent to review.

    `edition_id` is empty for one that is no item yet.
    """
    items = [one.item for one in draft.edition]
    async with queue.db.session() as session:
        account = await session.get(Account, "".join(draft.accounts))
        standing = await standing_of(session, set(items))
        taken = await _taken(session, draft, edition_id)
    reasons = _whole_faults(draft, account)
    for number, one in enumerate(items, 1):
        there = standing.get(one)
        words = _double(items, number)
        if there is not None:
            words += _kind_faults(there, draft) + taken.get(one, [])
            words += _cover_faults(there) if number == 1 else []
        title = there.title if there is not None else "—"
        reasons += [Reason("edition", said) for said in numbered(number, title, words)]
    at = max(now(), draft.not_before)
    return reasons + await article_reasons(queue.ledger, queue.releases.faults, draft, at)


def _whole_faults(draft: Draft, account: Account | None) -> list[Reason]:
    if account is None or not account.enabled:
        return [Reason("accounts", "没有这个账号，或者它已停用")]
    channel = CHANNELS.get(account.platform)
    most = channel.most_articles if channel is not None else 0
    faults = []
    if not most:
        label = channel.label if channel is not None else account.platform
        faults.append(
            Reason("accounts", f"{label}没有多篇合发：请把各篇分别发布到“{account.name}”")
        )
    elif not 1 <= len(draft.edition) <= most:
        words = f"组版要有 1 至 {most} 篇，现在是 {len(draft.edition)} 篇"
        faults.append(Reason("edition", words))
    if draft.edition and draft.not_after <= draft.not_before:
        faults.append(Reason("window", "各篇审核通过的发布时段没有共同的时间"))
    return faults


def _double(items: Sequence[str], number: int) -> list[str]:
    first = items.index(items[number - 1]) + 1
    return [f"与第 {first} 篇是同一篇"] if first < number else []


def _kind_faults(there: Standing, edition: Draft) -> list[str]:
    """Why an item of this kind, class or channel cannot stand in this edition."""
    mine = Draft.from_canonical(there.canonical)
    faults = []
    if mine.edition:
        faults.append("它本身是组版，不能再编入组版")
    elif mine.kind == PICTURES:
        faults.append("图片消息单独发布，不能与文章合发")
    elif mine.shelved:
        faults.append(f"{mine.kind}入库使用，不发布到账号")
    elif not set(edition.accounts) <= set(mine.accounts):
        faults.append("它没有选这个发布账号")
    if mine.klass == EMERGENCY:
        faults.append("应急稿件请单独发布")
    elif rank(mine.klass) > rank(edition.klass):
        faults.append(f"它的类别是{mine.klass}，组版不能低于它")
    return faults


def _cover_faults(there: Standing) -> list[str]:
    if first_picture(Draft.from_canonical(there.canonical).content):
        return []
    return ["头条没有封面：请换有封面的一篇做头条，或给它加封面重新送审"]


async def _taken(session: AsyncSession, draft: Draft, edition_id: str) -> Mapping[str, list[str]]:
    """What of the items goes to the account another way already."""
    found: dict[str, list[str]] = {one.item: [] for one in draft.edition}
    for held in await holders(session):
        if held.edition.id == edition_id or not set(held.accounts) & set(draft.accounts):
            continue
        for item in held.items & set(found):
            found[item].append(f"已编入《{held.edition.said_title}》")
    alone = select(Publication.item_id).where(
        Publication.item_id.in_(found),
        Publication.account_id.in_(draft.accounts),
        Publication.edition_id == "",
        Publication.state.in_(_BY_ITSELF),
    )
    for item in await session.scalars(alone):
        found[item].append("已安排在这个账号单独发布")
    return found


async def offered(session: AsyncSession, account_id: str) -> Sequence[Item]:
    """Approved items that may still go to this account, newest first."""
    held = set[str]()
    for one in await holders(session):
        held |= one.items if account_id in one.accounts else set()
    gone = exists().where(
        Publication.item_id == Item.id,
        Publication.account_id == account_id,
        Publication.release_id == Item.release_id,
        Publication.state.not_in((State.ENDED, State.HELD)),
    )
    query = (
        select(Item)
        .join(ItemWords, ItemWords.item_id == Item.id)
        .where(
            Item.state.in_(_RELEASED),
            Item.release_id.is_not(None),
            Item.kind.not_in(LIBRARY_KINDS | {EDITION, PICTURES}),
            ItemWords.accounts.contains(f" {account_id} ", autoescape=True),
            ItemWords.not_after > now(),
            Item.id.not_in(held),
            ~gone,
        )
        .order_by(Item.since.desc(), Item.id.desc())
        .limit(MOST_OFFERED)
    )
    return (await session.scalars(query)).all()
