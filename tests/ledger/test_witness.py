"""A second body cosigns only what extends what it saw; a sample is drawn by nobody's choice."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from cli import shenfa
from config.clock import beijing, now
from ledger.append import Ledger, load_signing_key
from ledger.verify import verify_export
from storage.database import Database
from supervision.figures import span_of
from supervision.samples import Drawing
from tests.made import SEALS

YEAR = str(beijing(now()).year)


async def office(folder: Path) -> Ledger:
    db = Database(f"sqlite+aiosqlite:///{folder / 'office.db'}", SEALS)
    await db.create_all()
    return Ledger(db, load_signing_key(folder / "ledger.key"), folder / "anchors.jsonl")


async def write(ledger: Ledger, *words: str) -> None:
    async with ledger.transaction() as tx:
        for word in words:
            body = {"result": "published", "publication": word, "account": "a"}
            await tx.append("publication.finished", subject=f"item:{word}", actor="s", body=body)


async def export(ledger: Ledger, path: Path) -> Path:
    return saved(path, "\n".join([line async for line in ledger.export()]))


def saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(shenfa, ["witness", *map(str, words)])
    return done.exit_code, done.output


async def test_a_ledger_that_does_not_go_on_from_what_was_seen_is_refused(tmp_path: Path) -> None:
    ledger, key, own = await office(tmp_path), tmp_path / "key.hex", tmp_path / "witness"
    key.write_text(ledger.public_hex)
    code, public = run("init", own)
    assert code == 0
    await write(ledger, "one", "two")
    early = await export(ledger, tmp_path / "early.jsonl")
    await write(ledger, "three")
    late = await export(ledger, tmp_path / "late.jsonl")
    asked = ("--public-key", key)
    assert run("cosign", own, "--export", early, *asked)[0] == 0
    first = own / "last.json"
    kept = tmp_path / "first.json"
    kept.write_text(first.read_text())
    assert run("cosign", own, "--export", late, *asked)[0] == 0
    assert run("check", kept, first, "--witness-key", public.strip())[0] == 0
    # An older backup: the tail that was cosigned is not there, and then it is another one.
    code, said = run("cosign", own, "--export", early, *asked)
    assert (code, "现在不到这一条" in said) == (1, True)
    (tmp_path / "fork").mkdir()
    (tmp_path / "fork" / "ledger.key").write_bytes((tmp_path / "ledger.key").read_bytes())
    other = await office(tmp_path / "fork")
    await write(other, "one", "two", "else", "more")
    forked = await export(other, tmp_path / "forked.jsonl")
    code, said = run("cosign", own, "--export", forked, *asked)
    assert (code, "与上次见证的不同" in said) == (1, True)
    # Somebody who rewrites what the witness remembers has not got its key.
    told = json.loads(first.read_text())
    first.write_text(json.dumps(told | {"seq": 1}))
    assert "已被改动" in run("cosign", own, "--export", late, *asked)[1]
    assert run("check", first, "--witness-key", public.strip())[0] == 1
    first.unlink()  # a witness that forgot signs the fork; whoever compares the two finds it
    assert run("cosign", own, "--export", forked, *asked)[0] == 0
    fork = json.loads(first.read_text())
    assert fork["seq"] == told["seq"] + 1
    for one in (ledger, other):
        await one.db.close()


async def test_the_same_export_gives_everybody_the_same_sample(tmp_path: Path) -> None:
    ledger = await office(tmp_path)
    await write(ledger, *(f"p{number}" for number in range(40)))
    lines = [line async for line in ledger.export()]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(ledger.public_hex))
    drawn = []
    for _ in range(2):
        drawing = Drawing(span_of(YEAR))
        seed = verify_export(lines, key, (), drawing.take).head
        drawn.append(drawing.draw(seed, 30))
    assert drawn[0] == drawn[1]
    assert len({one.publication for one in drawn[0]}) == 30
    assert all(len(one.chain) == 1 for one in drawn[0])
    drawing = Drawing(span_of(YEAR))
    verify_export(lines, key, (), drawing.take)
    assert drawing.draw("another", 30) != drawn[0]
    await ledger.db.close()
