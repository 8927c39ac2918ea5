"""A library of an invented county, three people who may change it."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.clock import now
from gates.engine import run_gates
from gates.finding import Finding, GateText, NoFacts
from gates.rules import RuleSet
from knowledge.changes import policy_kinds
from knowledge.documents import PolicyDraft
from knowledge.forms import MET
from knowledge.library import PolicyLibrary
from knowledge.service import KnowledgeService
from ledger.append import Ledger, load_signing_key
from staff.models import Staff
from staff.people import Person, set_staff
from staff.proposals import Proposals
from storage.database import Database
from tests.made import SEALS, a_finding

GRANT = """青禾县高校毕业生创业补贴办法

第一条 为了支持高校毕业生在本县创业，制定本办法。
第二条 毕业五年内的高校毕业生首次在本县登记个体工商户，正常经营满六个月的，
给予一次性创业补贴5000元。
第三条 申请创业补贴，应当向县人力资源和社会保障局窗口提交毕业证书、营业执照，
窗口在15个工作日内办结。
第四条 本办法自2024年3月1日起施行，有效期至2028年12月31日。
"""
VOUCHER = """青禾县2025年家电消费券发放公告

一、发放对象
在青禾县购买智能家电的消费者，凭身份证件每人可以领取一张消费券，面额200元。
二、使用期限
消费券在2025年5月1日至2025年10月7日的节假日使用，逾期作废。
三、领取方式
消费者在县商务局公众号预约领取，额满为止。
"""


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", SEALS)
    await db.create_all()
    yield await opened(db, tmp_path)
    await db.close()


@pytest.fixture
async def either(database: Database, tmp_path: Path) -> SimpleNamespace:
    """The same office on SQLite and on PostgreSQL."""
    return await opened(database, tmp_path)


async def opened(db: Database, tmp_path: Path) -> SimpleNamespace:
    ledger = Ledger(db, load_signing_key(tmp_path / "keys" / "l.key"), tmp_path / "anchors.jsonl")
    people = {"editor": ["editor"], "admin1": ["admin"], "admin2": ["admin"], "duty1": ["duty"]}
    async with ledger.transaction() as tx:
        for login, roles in people.items():  # ids as plain as the logins, for tests that read well
            plain = Staff(id=login, login=login, name=login, roles=[], password_hash="-")
            plain.created_at = now()
            tx.session.add(plain)
            await tx.session.flush()
            await set_staff(tx, Person(login, login, tuple(roles), "-"), "init")
    rules, more = RuleSet.load(), list[str]()

    async def gates(title: str, text: str) -> Sequence[Finding]:
        found = run_gates(GateText(title, text, "", date(2026, 11, 24)), rules, NoFacts())
        found += [a_finding(gate="secrecy", text=words) for words in more if words in text]
        return [one for one in found if one.gate in MET]

    proposals = Proposals(ledger, policy_kinds(ledger, gates))
    return SimpleNamespace(
        db=db,
        ledger=ledger,
        proposals=proposals,
        more=more,  # words that the secrecy gate blocks from now on
        library=PolicyLibrary(proposals),
        service=KnowledgeService(ledger),
        tmp=tmp_path,
    )


@pytest.fixture
def grant() -> PolicyDraft:
    return PolicyDraft(
        title="青禾县高校毕业生创业补贴办法",
        text=GRANT,
        doc_number="青政发〔2024〕7号",
        issuer="青禾县人民政府",
        issued_on=date(2024, 2, 20),
        effective_from=date(2024, 3, 1),
        effective_to=date(2028, 12, 31),
    )


@pytest.fixture
def voucher() -> PolicyDraft:
    return PolicyDraft(
        title="青禾县2025年家电消费券发放公告",
        text=VOUCHER,
        issuer="青禾县商务局",
        issued_on=date(2025, 4, 20),
    )
