"""An office begins with a week in which a password alone signs in, and no longer one."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import open_shenfa
from config.clock import BEIJING, now
from config.settings import Settings
from config.setup import Setup, SetupError
from gates.statutes import STATUTES
from office.doctor import LAWS_OLD, _laws, _proxies
from office.setup import initialise
from staff.factors import BEGUN, required_from

STAFF: list[dict[str, Any]] = [
    {"login": "admin1", "name": "周管理", "roles": ["admin"], "password": "otter-lamp-39"},
    {"login": "admin2", "name": "吴管理", "roles": ["admin"], "password": "otter-lamp-39"},
]


def setup_of(**more: Any) -> Setup:
    return Setup.model_validate({"organisation": "青禾县", "staff": STAFF} | more)


async def begun(settings: Settings) -> list[Any]:
    async with open_shenfa(settings) as opened:
        return await opened.ledger.facts("office")


async def test_a_new_office_has_a_week_and_its_first_entry_says_so(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    await initialise(settings, setup_of())
    facts = await begun(settings)
    until = required_from(facts)
    assert until is not None
    assert timedelta(days=7) - (until - now()) < timedelta(minutes=5)
    assert BEGUN not in {entry.kind for entry in facts}


async def test_the_setup_file_makes_the_week_shorter_and_never_longer(tmp_path: Path) -> None:
    today = now().astimezone(BEIJING).date()
    settings = Settings(home=tmp_path / "short")
    await initialise(settings, setup_of(second_factor_from=today.isoformat()))
    until = required_from(await begun(settings))
    assert until is not None
    assert until <= now()
    later = (today + timedelta(days=9)).isoformat()
    with pytest.raises(SetupError, match="最多宽限一周"):
        await initialise(Settings(home=tmp_path / "long"), setup_of(second_factor_from=later))


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"public_url": "https://shenfa.example"}, "warn"),
        ({"public_url": "https://shenfa.example", "trusted_proxies": "127.0.0.1"}, "ok"),
        ({}, "ok"),
    ],
)
def test_the_doctor_asks_for_the_proxy_before_an_https_address(
    tmp_path: Path, more: dict[str, str], state: str
) -> None:
    assert _proxies(Settings(home=tmp_path, **more)).state == state  # type: ignore[arg-type]


def test_the_doctor_tells_how_old_the_table_of_laws_is() -> None:
    checked = STATUTES.checked
    fresh = _laws(checked + LAWS_OLD)
    assert (fresh.name, fresh.state) == ("法律法规表", "ok")
    assert f"核对到 {checked}，已过 {LAWS_OLD.days} 天" in fresh.words
    old = _laws(checked + LAWS_OLD + timedelta(days=1))
    assert old.state == "warn"
    for told in (f"已过 {LAWS_OLD.days + 1} 天", f"超过 {LAWS_OLD.days} 天", "升级审发", "核对"):
        assert told in old.words
