"""审计: reads all, writes nothing, each look is kept; the package is checked offline."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from typer.testing import CliRunner

from cli import shenfa
from config.clock import beijing, now
from console.web.permissions import ACTIONS, OF_A_SESSION, may
from supervision.auditing import evidence, looks_root
from supervision.bundle import MANIFEST, SEAL, SEALED, Checked, check_bundle
from supervision.counting import count_days
from supervision.figures import COUNTED, Span
from supervision.models import AuditLook
from tests.console.office import Browser, Office, busy_morning, set_roles
from tests.console.test_access import routes

Change = Callable[[dict[str, bytes]], None]


async def _auditor(office: Office) -> Browser:
    await set_roles(office, "nobody", ["auditor"])
    return await office.signed_in("nobody")


async def test_the_chain_of_an_item_is_proved_before_an_auditor_and_again_elsewhere(
    office: Office, tmp_path: Path
) -> None:
    item = (await busy_morning(office))["published"]
    auditor, ledger = await _auditor(office), office.deps.ledger
    status, text = await auditor.get(f"/console/audit/items/{item}")
    assert status == 200
    for words in ("核验通过", "放行前 3 人次批准", "张海", "赵国强", "终审批准", "已发出"):
        assert words in text, words
    today = beijing(now()).date()
    asked = f"first={today}&last={today}"
    status, text = await auditor.get(f"/console/audit?{asked}")
    assert (status, f"/console/audit/items/{item}" in text) == (200, True)
    answer = await auditor.client.get(f"/console/audit/items/{item}/package.zip")
    whole = await answer.read()
    (tmp_path / "p.zip").write_bytes(whole)
    (tmp_path / "key.hex").write_text(ledger.public_hex)
    given = ["report", "check", str(tmp_path / "p.zip"), "--public-key", str(tmp_path / "key.hex")]
    done = CliRunner().invoke(shenfa, given)
    assert (done.exit_code, "全部相符" in done.output) == (0, True), done.output
    days = await (await auditor.client.get(f"/console/audit/package.zip?{asked}")).read()
    assert check_bundle(io.BytesIO(days), ledger.public_key).faults == []
    # What an address says that is no item, and days that are none.
    assert (await auditor.get("/console/audit?item=https://x.example/console/items/abc"))[0] == 303
    for path, code in (("items/x", 404), ("package.zip?first=2026-01-01&last=2027-01-01", 422)):
        assert (await auditor.get(f"/console/audit/{path}"))[0] == code
    assert (await auditor.get("/console/audit?first=2026-02-30"))[0] == 422
    assert (await auditor.get("/console/audit?item=a%00b"))[0] == 303
    for day in ("0001-01-01", "9999-12-31"):
        for path in (f"audit?first={day}&last={day}", f"audit/package.zip?first={day}&last={day}"):
            assert (await auditor.get(f"/console/{path}"))[0] == 422
        assert (await auditor.get(f"/console/promises/{day}"))[0] == 404
    assert (await (await office.signed_in("editor")).get("/console/audit"))[0] == 403
    await _looks_are_kept(office, item)


async def _looks_are_kept(office: Office, item: str) -> None:
    """Each of them, in a signed count of the day with a root over all."""
    async with office.deps.db.session() as session:
        told = (await session.scalars(select(AuditLook.what).order_by(AuditLook.id))).all()
        await session.execute(update(AuditLook).values(at=now() - timedelta(days=1)))
    assert f"/console/audit/items/{item}/package.zip" in told
    assert "/console/audit?first=2026-02-30" in told
    assert await count_days(office.deps.ledger) == 1
    entry = [one for one in await office.deps.ledger.facts("counts") if one.kind == COUNTED][-1]
    day = beijing(now()).date()
    async with office.deps.db.session() as session:
        found = await looks_root(session, Span(day - timedelta(days=1), day))
    assert (entry.body["looks"], entry.body["looks_root"]) == found == (len(told), found[1])


def _changed(whole: bytes, change: Change, by: Ed25519PrivateKey | None = None) -> Checked:
    """What is said of a package whose files somebody changed, with a manifest that fits them.

    `by` signs the manifest, the office itself unless it is somebody else.
    """
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        names = [name for name in package.namelist() if name not in (MANIFEST, SEALED)]
        files = {name: package.read(name) for name in names}
    change(files)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files[MANIFEST] = json.dumps({"sha256": digests}).encode()
    said = f"{SEAL}:1:{hashlib.sha256(files[MANIFEST]).hexdigest()}"
    seal = (by or KEYS[0]).sign(said.encode()).hex()
    files[SEALED] = json.dumps({"seq": 1, "signature": seal}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return check_bundle(out, KEYS[0].public_key())


KEYS = [Ed25519PrivateKey.generate()]


def _with_password(whole: bytes) -> bytes:
    """Each file marked as encrypted."""
    broken = bytearray(whole)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = broken.find(sign)
        while at >= 0:
            broken[at + place] |= 1
            at = broken.find(sign, at + 4)
    return bytes(broken)


def _with_bad_bytes(whole: bytes) -> bytes:
    """The manifest's compressed bytes are none, and everything else stands."""
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        at = package.getinfo(MANIFEST).header_offset + 30 + len(MANIFEST)
    return whole[:at] + b"\xff" * 40 + whole[at + 40 :]


def _other_verdict(files: dict[str, bytes]) -> None:
    place = next(one for one in files if one.endswith("/decisions.json"))
    files[place] = files[place].replace(b'"approve"', b'"return"', 1)


def _no_reasons(files: dict[str, bytes]) -> None:
    files[next(one for one in files if one.endswith("/decisions.json"))] = b"[]"


def _endless(files: dict[str, bytes]) -> None:
    mark = b'{"anchor": {"seq": 1e999, "hash": "", "signature": ""}}\n'
    files["ledger/range.jsonl"] = mark + files["ledger/range.jsonl"]


def _other_name(files: dict[str, bytes]) -> None:
    files["people.json"] = files["people.json"].replace("赵国强".encode(), "孙某".encode())


def _without_items(files: dict[str, bytes]) -> None:
    for one in [one for one in files if one.startswith("items/")]:
        files.pop(one)


async def test_whatever_is_changed_in_a_package_is_named(office: Office) -> None:
    item = (await busy_morning(office))["published"]
    ledger = office.deps.ledger
    whole = await evidence(ledger, item)
    KEYS[0] = ledger._key
    folder, piece = f"items/{item}", "ledger/range.jsonl"

    def text(files: dict[str, bytes]) -> str:
        return next(name for name in files if name.startswith(f"{folder}/") and len(name) > 90)

    def without(name: str, words: bytes) -> Change:
        def change(files: dict[str, bytes]) -> None:
            lines = files[name].splitlines(keepends=True)
            files[name] = b"".join(line for line in lines if words not in line)

        return change

    def word(files: dict[str, bytes]) -> None:
        files[text(files)] += b" "

    def reason(files: dict[str, bytes]) -> None:
        name = f"{folder}/decisions.json"
        files[name] = files[name].replace("已核对原件".encode(), "没有核对".encode())

    def receipt(files: dict[str, bytes]) -> None:
        name = next(one for one in files if "/receipt-" in one)
        files[name] = files[name].replace(b'"digest": "', b'"digest": "0')

    decision = b'\\"kind\\":\\"decision\\"'
    for change, words in (
        (word, "与文件名里的摘要不符"),
        (reason, "条决定的理由与签名时不同"),
        (receipt, "的 digest 与台账不同"),
        (without(f"{folder}/review.jsonl", decision), "记录与台账区间不同"),
        (without(piece, decision), "台账在第"),
        (without(piece, b'{"range"'), "没有签名的结尾"),
        (lambda files: files.pop(f"{folder}/review.jsonl"), "不是审发的证据包"),
        (lambda files: files.pop(text(files)), "缺少发出的内容"),
        (_other_verdict, "决定的人、结论或内容与签名时不同"),
        (_no_reasons, "决定的理由"),
        (_endless, "OverflowError"),
    ):
        said = _changed(whole, change)
        assert any(words in one for one in said.faults), (words, said)
    assert _changed(whole, lambda files: None).faults == []
    # What no entry holds is the office's by the signature over the manifest.
    other = Ed25519PrivateKey.generate()
    for change in (_other_name, _without_items, lambda files: files.update({"a.txt": b"x"})):
        assert any("清单的签名不符" in one for one in _changed(whole, change, other).faults)
    assert check_bundle(io.BytesIO(whole), Ed25519PrivateKey.generate().public_key()).faults
    assert check_bundle(io.BytesIO(b"PK\x03\x04"), ledger.public_key).faults
    assert check_bundle(io.BytesIO(whole[:-50]), ledger.public_key).faults
    for broken in (_with_password(whole), _with_bad_bytes(whole)):
        assert check_bundle(io.BytesIO(broken), ledger.public_key).faults


async def test_no_writing_route_answers_an_auditor(office: Office) -> None:
    auditor = await _auditor(office)
    own = OF_A_SESSION | {"sources.read", "subscriptions.read"}  # these two count and check only
    written = 0
    for one in routes(office):
        method, path, action = one.method, one.path, one.action or ""
        if method in ("GET", "HEAD") or action not in ACTIONS or action in own:
            continue
        assert not may(["auditor"], action), (method, path, action)
        headers = {"X-CSRF": auditor.csrf}
        answer = await auditor.client.request(method, path, headers=headers, json={})
        assert answer.status == 403, (method, path)
        written += 1
    assert written > 120
