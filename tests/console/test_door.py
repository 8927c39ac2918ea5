"""The way in on each database: password, code, session, and what a used code leaves behind."""

from pathlib import Path

import pyotp
import pytest

from config.clock import now
from ledger.append import Ledger, load_signing_key
from staff.door import Attempt, Door, Entered, Step
from staff.people import Person, hash_password, set_staff
from staff.refusal import Refused
from staff.sessions import visitor_of_session
from storage.cache import MemoryCache
from storage.database import Database
from tests.made import DATA_KEY

PASSWORD = "otter-lamp-39"


async def test_a_person_comes_in_by_password_and_then_by_code_as_well(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("staff.second_factor.now", lambda: moment)
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    door, step = Door(ledger, MemoryCache(), DATA_KEY), int(moment.timestamp()) // 30
    stored = await hash_password(PASSWORD)
    async with ledger.transaction() as tx:
        row = await set_staff(tx, Person("lin", "林", ("admin",), stored), "init")
    attempt = Attempt("lin", PASSWORD, "192.0.2.1", "x")

    entered = await door.sign_in(attempt)
    assert isinstance(entered, Entered)
    visitor = await visitor_of_session(ledger, entered.token)
    assert visitor is not None
    assert visitor.roles == {"admin"}

    fresh = await door.factors.begin(row.id, "lin", "here")
    phone = pyotp.HOTP(fresh.secret)
    codes = await door.factors.confirm(row.id, "lin", phone.at(step - 1), "here")
    for code in (phone.at(step), codes[0]):
        asked = await door.sign_in(attempt)
        assert isinstance(asked, Step)
        inside = await door.enter_by_code(asked.ticket, code, "x")
        assert await visitor_of_session(ledger, inside.token) is not None
        again = await door.sign_in(attempt)
        assert isinstance(again, Step)
        with pytest.raises(Refused, match="动态码或恢复码不对"):
            await door.enter_by_code(again.ticket, code, "x")
    factor = await door.factors.of(row.id)
    assert factor is not None
    assert factor.left == 9
