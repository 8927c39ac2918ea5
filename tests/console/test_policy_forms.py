"""What the forms and pages of the library keep, refuse, and show to whom."""

from datetime import date

from knowledge.documents import PolicyDraft
from knowledge.library import PolicyLibrary
from tests.console.office import Office

TEXT = "第一条 为支持技能培训，制定本办法。\n第二条 取得证书的人员可以申请补贴，每人一千元。"
TITLE = "青禾县技能补贴办法"


async def put_in(office: Office, **said: object) -> str:
    """A policy that two people have put in: its id."""
    library = PolicyLibrary(office.deps.governance.proposals)
    draft = PolicyDraft(title=TITLE, text=TEXT, **said)  # type: ignore[arg-type]
    (made,) = await library.propose_import([draft], office.people["admin1"])
    await library.approve(made.change_id, office.people["admin2"])
    return made.policy_id


async def test_an_edit_of_the_title_keeps_what_its_source_says_of_its_status(
    office: Office,
) -> None:
    policy = await put_in(office, status="not_yet", issued_on=date(2026, 3, 1))
    editor = await office.signed_in("editor")
    _, text = await editor.get(f"/console/policies/{policy}/change/edit")
    assert '<option value="not_yet" selected>尚未施行</option>' in text
