"""Which posts concern the own work of an account's body: by approved topics and marks alone."""

from sqlalchemy import select, update

from bot.contract import State
from bot.models import Account, Publication
from config.clock import now
from facets.remit import Ground, concern_of, ground_of, remit_of, written
from facets.taxonomy import starting_taxonomy
from ledger.verify import Entry
from review_queue.models import Item
from supervision.figures import CONCERNS, count, span_of
from supervision.report import counted, period_of
from tests.console.office import Office, busy_morning

WANTED = {"remit_topics": "就业创业、住房", "remit_regions": "呼和浩特"}


def test_a_remit_is_kept_whole_and_means_what_is_below_it() -> None:
    taxonomy = starting_taxonomy()
    kept = written(taxonomy, {**WANTED, "push": "each"})
    assert written(taxonomy, kept) == kept  # changed again, it stays what it was
    assert kept["push"] == "each"
    remit = remit_of(kept)
    assert {"employment", "recruitment", "housing"} <= remit.topics
    assert "labour_social_security" not in remit.topics
    region = next(key for key in kept["remit_regions"].split())
    above = taxonomy.lineage("regions", region)[-1]
    elsewhere = next(one for one in taxonomy.facets["regions"] if one not in remit.regions)
    for topics, places, mark, ground in (
        (["recruitment"], [], "", Ground.TOPIC),
        (["recruitment", "health"], [region], "", Ground.TOPIC),
        (["employment"], [above], "", Ground.TOPIC),  # what holds for all of it holds here too
        (["employment"], [elsewhere], "", Ground.REGION_OUTSIDE),
        (["health"], [], "", Ground.TOPIC_OUTSIDE),
        ([], [], "", Ground.NO_TOPICS),
        (["health"], [], "ours", Ground.MARKED_OURS),
        ([], [], "other", Ground.MARKED_OTHER),
    ):
        assert ground_of(remit, topics, places, mark) == ground, (topics, places)
    nothing = ground_of(remit_of({}), ["employment"], [], "")
    assert (nothing, concern_of(nothing)) == (Ground.NO_REMIT, "unsaid")


def test_a_mark_moves_a_post_only_inside_the_time_that_is_reported() -> None:
    def entry(seq: int, kind: str, day: str, **body: object) -> Entry:
        subject = "account:a" if kind == "account.set" else "item:i"
        return Entry(seq, kind, subject, "x", f"2026-{day}T02:00:00+00:00", body, "", "", None)

    told = [
        entry(1, "account.set", "01-05", remit_topics="employment"),
        entry(2, "release.created", "01-06", topics=["health"]),
        entry(3, "publication.finished", "01-07", result="published", account="a", publication="p"),
        entry(4, "publication.settled", "01-08", sent=True, account="a", publication="p"),
        entry(5, "item.concern", "02-02", mark="ours"),
    ]

    def figures(period: str) -> list[list[int]]:
        found = count(told, span_of(period)).figures
        return [found[name].rows for name in CONCERNS.values()]

    assert figures("2026-01") == [[], [3], []]
    assert figures("2026Q1") == [[3], [], []]
    assert figures("2026-02") == [[], [], []]


async def test_a_remit_is_given_by_two_people_and_posts_are_told_apart(office: Office) -> None:
    made_items = await busy_morning(office)
    admin, other = await office.signed_in("admin1"), await office.signed_in("admin2")
    async with office.deps.db.session() as session:
        query = select(Publication).where(
            Publication.item_id == made_items["published"], Publication.state == State.PUBLISHED
        )
        post = (await session.scalars(query)).one()
        post.published_at = now()
        account = await session.get_one(Account, post.account_id)
        item = await session.get_one(Item, post.item_id)
    slug, subject = account.slug, f"item:{item.id}"
    facts = await office.deps.ledger.facts(subject)
    released = next(one for one in facts if one.kind == "release.created").body
    assert item.topics.split() == released.get("topics", [])
    page = f"/console/cockpit/{slug}/relevance"
    reviewer = await office.signed_in("reviewer1")
    _, text = await reviewer.get(page)
    assert "账号没有登记职责主题" in text
    change = {"slug": slug, "settings": {"remit_topics": "没有的事"}}
    body = {"kind": "account", "payload": change, "reason": "写明账号职责"}
    assert (await admin.api("POST", "/proposals", body))[0] == 422
    secrets = {"token": "7:x", "webhook_secret": "very-secret", "chat": "@qinghe"}
    wanted = {
        "slug": slug,
        "api_base": "https://api.telegram.org",
        "assessment_ref": "评估〔2026〕1 号",
    }
    form = {**wanted, "platform": account.platform, "name": account.name, "settings": "{}"}
    form |= {"secrets": "\n".join("=".join(one) for one in secrets.items()), "enabled": "yes"}
    form |= {"remit_topics": "就业创业", "step": "preview"}
    status, text = await admin.post("/console/settings/accounts", **form)
    assert (status, "职责主题=就业创业、" in text) == (200, True), text
    body["payload"] = {**wanted, "secrets": secrets, "settings": {"remit_topics": "就业创业"}}
    status, made = await admin.api("POST", "/proposals", body)
    assert status == 201, made
    status, _ = await other.api("POST", f"/proposals/{made['id']}/approve", {"reason": "同意"})
    assert status == 200
    _, text = await admin.get(f"/console/settings/accounts?slug={slug}")
    assert 'name="remit_topics" value="就业创业、' in text
    await _judged(office, slug, item.id)


async def _judged(office: Office, slug: str, item: str) -> None:
    reviewer, page = await office.signed_in("reviewer1"), f"/console/cockpit/{slug}/relevance"
    async with office.deps.db.session() as session:
        await session.execute(update(Item).where(Item.id == item).values(topics="health"))
    _, told = await reviewer.api("GET", f"/cockpit/{slug}")
    assert (told["relevance"], told["share"]["other"], told["unsaid"]) == (0.0, 1, 0)
    _, text = await reviewer.get(page)
    assert "审核通过的主题都不在职责内" in text
    _, rows = await reviewer.api("GET", f"/cockpit/{slug}/relevance?as=other")
    assert [one["item"] for one in rows["posts"]] == [item]
    editor = await office.signed_in("editor")
    mark = f"/cockpit/{slug}/relevance/{item}"
    assert (await editor.api("POST", mark, {"mark": "ours"}))[0] == 403
    assert (await reviewer.api("POST", mark, {"mark": "maybe"}))[0] == 422
    assert (await reviewer.post(f"/console{mark}", mark="ours"))[0] == 303
    assert (await reviewer.api("POST", mark, {"mark": "ours"}))[0] == 422
    assert (await reviewer.api("POST", f"{mark}x", {"mark": "ours"}))[0] == 404
    _, text = await reviewer.get(f"/console/items/{item}")
    assert "标为与本单位业务有关" in text
    _, text = await reviewer.get("/console/cockpit")
    assert f'/console/cockpit/{slug}/relevance">100 %</a>' in text
    _, text = await reviewer.get(f"/console/cockpit/{slug}")
    assert f'/console/cockpit/{slug}/relevance?as=ours">1</a>' in text
    # The report finds the same in what was signed.
    counting = await counted(office.deps.ledger, period_of(str(now().year)))
    assert [counting.figures[name].value for name in CONCERNS.values()] == [1, 0, 0]
