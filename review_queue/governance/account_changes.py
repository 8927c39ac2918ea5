"""What an account is: its name, address, secrets and settings, each changed by two people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.account_entries import SET, account_digest, sign_account
from bot.accounts import Accounts, NewAccount
from bot.channels import CHANNELS
from bot.models import ENDED_BODY, Account, Organisation
from config.clock import now
from facets.remit import ABOVE, LABELS, in_words, written
from facets.taxonomy import Taxonomy
from ledger.append import Ledger, Transaction
from ledger.verify import Entry
from review_queue.governance.account_closing import closed
from staff.proposals import AboutPeople, Approval
from staff.refusal import Reason, Refused
from staff.standing import facts_or_refuse
from storage.database import new_id

FIELDS = {
    "name": "名称",
    "api_base": "平台地址 api_base",
    "settings": "设置 settings",
    "enabled": "启用",
    "owner": "负责人",
    "assessment_ref": "评估编号 assessment_ref",
}
"""What is shown as before and after; secrets are said to change and never shown."""


class AccountKind(AboutPeople):
    """{slug, and what is to change of platform, name, api_base, secrets, settings, …}.

    `secrets` are all of them; `replace` are single ones, and the others stay. They are encrypted
    before they are kept in the proposal, bound to the account they are for.
    """

    label = "账号变更"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger, accounts: Accounts, taxonomy: Taxonomy) -> None:
        """`accounts` checks addresses and holds the key of secrets; `taxonomy` names a remit."""
        self._ledger = ledger
        self._accounts = accounts
        self._taxonomy = taxonomy

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The account's id."""
        return f"account:{payload['id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every field in its final form, and the signed digest of what it replaces."""
        slug = str(payload.get("slug", "")).strip()
        async with self._ledger.db.session() as session:
            row = (await session.scalars(select(Account).where(Account.slug == slug))).first()
            told = await facts_or_refuse(session, f"account:{row.id}") if row else ()
            was = _signed(told)
            body = await _body(session, row, str(payload.get("organisation") or ""))
        if "was" in payload and payload["was"] != was:
            words = "这个账号在提出之后又有变化：请收回后重新提出"
            raise Refused(409, [Reason("overtaken", words)])
        new, account_id, kept = self._wanted(slug, row, payload)
        if new.enabled and closed(told):
            raise Refused(422, [Reason("closed", "账号已在平台注销，不能再启用：请登记新的账号")])
        try:
            self._accounts.check(replace(new, organisation_id=body))
        except ValueError as error:
            raise Refused(422, [Reason("account", str(error))]) from error
        fields = {name: value for name, value in asdict(new).items() if name != "organisation_id"}
        found = fields | {"secrets": kept, "id": account_id, "was": was, "organisation": body}
        if row and row.whole and account_digest(row) == was and _same(row, found):
            raise Refused(422, [Reason("account", "账号没有变化")])
        return found

    def _wanted(
        self, slug: str, row: Account | None, payload: Mapping[str, Any]
    ) -> tuple[NewAccount, str, str]:
        """The account as it would be, its id, and its secrets as they are kept."""
        account_id = row.id if row else str(payload.get("id") or new_id())
        given = payload.get("secrets")
        try:
            if row and isinstance(single := payload.get("replace"), dict):
                given = self._replaced(row, single)
            if isinstance(given, dict):
                secrets = {str(name): str(value) for name, value in given.items()}
                # A new group is one line, and nobody types a token for it; secrets come whole.
                if row and secrets.keys() <= _addresses_of(row.platform):
                    secrets = self._stood(row) | secrets
                kept = self._accounts.encrypted(account_id, secrets)
            else:
                kept = str(given or (row.secrets if row else ""))
                secrets = self._accounts.opened(account_id, kept) if kept else {}
        except ValueError as error:
            words = "secrets 要写平台给的各项密钥，例如 token"
            raise Refused(422, [Reason("secrets", words)]) from error
        settings = payload.get("settings", row.settings if row else {})
        enabled = payload.get("enabled", row.enabled if row else True)
        if not slug or not isinstance(settings, dict) or not isinstance(enabled, bool):
            words = "请写账号代号 slug；settings 要写成一组设置，enabled 只能是 true 或 false"
            raise Refused(422, [Reason("slug", words)])
        try:
            settings = written(self._taxonomy, settings)
        except ValueError as error:
            raise Refused(422, [Reason("remit", str(error))]) from error
        new = NewAccount(
            slug=slug[:60],
            organisation_id=row.organisation_id if row else "",
            platform=row.platform if row else str(payload.get("platform", "")),
            name=_text(payload, row, "name", 120),
            api_base=_text(payload, row, "api_base", 300).rstrip("/"),
            secrets=secrets,
            settings=settings,
            owner=_text(payload, row, "owner", 60),
            assessment_ref=_text(payload, row, "assessment_ref", 120),
            enabled=enabled,
        )
        if not new.name:
            raise Refused(422, [Reason("name", "请填写账号名称")])
        return new, account_id, kept

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Which fields change; of secrets only that they do."""
        async with self._ledger.db.session() as session:
            row = await session.get(Account, payload["id"])
            same = (
                Account.platform == payload["platform"],
                Account.enabled.is_(True),
                Account.organisation_id == payload.get("organisation"),
                Account.id != payload["id"],
            )
            beside = (await session.scalars(select(Account.name).where(*same))).all()
            body = await session.get(Organisation, payload.get("organisation", ""))
        who = f"{payload['name']}（{payload['platform']}，{payload['slug']}）"
        head = {"sign": "~" if row else "+", "text": f"{'变更' if row else '增加'}账号 {who}"}
        lines = [head]
        for name, label in FIELDS.items():
            before, after = getattr(row, name) if row else None, payload[name]
            if before != after:
                was = f"由“{self._word(before)}”" if row else ""
                lines.append({"sign": "~", "text": f"{label}{was}改为“{self._word(after)}”"})
        if body is not None and (row is None or row.organisation_id != body.id):
            lines.append({"sign": "~", "text": f"所属单位：{body.name}"})
        if row is None or row.secrets != payload["secrets"]:
            lines += self._addresses(row, payload)
            lines.append({"sign": "~", "text": "更换密钥（不显示）"})
        note = (
            "批准后马上按新的地址、密钥和设置收发，一分钟内向平台登记回调和菜单；"
            "平台页面上手填的服务器配置要自己改。"
        )
        warnings = []
        moved = row is None or row.organisation_id != payload.get("organisation")
        if moved and beside:
            words = f"这个单位在这个平台上已经有{'、'.join(beside)}"
            warnings.append(f"{words}：原则上一个平台只开一个账号，请核对理由")
        return {"changes": lines, "warnings": warnings, "note": note}

    def _word(self, value: Any) -> str:
        """A remit by the names of its values, which is what the second person knows."""
        if not isinstance(value, dict):
            return _word(value)
        said = {name: one for name, one in value.items() if name not in (*LABELS, ABOVE)}
        told = {label: in_words(self._taxonomy, value, name) for name, label in LABELS.items()}
        return _word(said | {label: words for label, words in told.items() if words})

    def _addresses(self, row: Account | None, payload: Mapping[str, Any]) -> list[dict[str, str]]:
        """Where it is published, before and after: this is what the second person looks at."""
        old = self._stood(row)
        new = self._accounts.opened(payload["id"], payload["secrets"])
        return [
            {"sign": "~", "text": f"{name} 由“{_word(old.get(name))}”改为“{_word(new.get(name))}”"}
            for name in sorted(_addresses_of(payload["platform"]))
            if old.get(name) != new.get(name)
        ]

    def _replaced(self, row: Account, single: Mapping[str, Any]) -> dict[str, Any]:
        """All secrets with single ones replaced; ValueError for a name the platform lacks."""
        channel = CHANNELS.get(row.platform)
        known = channel.secrets if channel else ()
        if unknown := [name for name in single if name not in known]:
            words = f"没有密钥“{unknown[0]}”，只能是 {'、'.join(known)}"
            raise Refused(422, [Reason("secrets", words)])
        if not single or not all(isinstance(one, str) and one for one in single.values()):
            raise Refused(422, [Reason("secrets", "请写出要更换的密钥，不能是空的")])
        return {**self._stood(row), **single}

    def _stood(self, row: Account | None) -> dict[str, str]:
        try:
            return self._accounts.opened(row.id, row.secrets) if row else {}
        except ValueError:  # what stands there is another account's: all of it is typed anew
            return {}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """From the commit on the account is used as it says here."""
        row = await tx.session.get(Account, payload["id"], populate_existing=True)
        told = await facts_or_refuse(tx.session, f"account:{payload['id']}") if row else ()
        if _signed(told) != payload["was"]:
            raise Refused(409, [Reason("overtaken", "这个账号刚刚有变化，请重新提出")])
        # A proposal of the version before names no body.
        body = payload.get("organisation") or await _body(tx.session, row, "")
        if row is None:
            row = Account(id=payload["id"], organisation_id="", created_at=now())
            tx.session.add(row)
        row.organisation_id = body
        for name in (*FIELDS, "secrets", "slug", "platform"):
            setattr(row, name, payload[name])
        # What somebody wrote into the row past this program ends with what two people approved.
        row.accept()
        await tx.session.flush()
        said = {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}
        await sign_account(tx, row, approval.approved_by, said)
        return {"account": row.id, "slug": row.slug}


def _signed(told: Sequence[Entry]) -> str:
    return next((str(one.body["digest"]) for one in reversed(told) if one.kind == SET), "")


def _addresses_of(platform: str) -> frozenset[str]:
    channel = CHANNELS.get(platform)
    return frozenset(channel.addresses if channel else ())


def _same(row: Account, found: Mapping[str, Any]) -> bool:
    same = all(getattr(row, name) == found[name] for name in (*FIELDS, "secrets"))
    return same and row.organisation_id == found["organisation"]


async def _body(session: AsyncSession, row: Account | None, wanted: str) -> str:
    """The body an account belongs to: by name or id, else its own, else the office's first."""
    # A body may have ended since this was proposed.
    lives = Organisation.name.not_like(f"%{ENDED_BODY}%")
    if not wanted:
        first = select(Organisation.id).where(lives).order_by(Organisation.id).limit(1)
        own = row.organisation_id if row else ""
        return own or await session.scalar(first) or ""
    named = (Organisation.name == wanted) | (Organisation.id == wanted)
    found = await session.scalar(select(Organisation.id).where(named, lives))
    # An office of before the tree may have accounts of a body without a row.
    if found is None and (row is None or row.organisation_id != wanted):
        raise Refused(422, [Reason("organisation", f"没有叫“{wanted}”的单位：请先登记")])
    return found or wanted


def _text(payload: Mapping[str, Any], row: Account | None, name: str, most: int) -> str:
    return str(payload.get(name, getattr(row, name) if row else "")).strip()[:most]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dict):
        return "，".join(f"{name}={one}" for name, one in value.items()) or "（空）"
    return str(value) or "（空）"
