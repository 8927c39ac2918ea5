"""证据包 and 归档包, checked with nothing but the file and the public key. Pure; no database.

A package holds texts under their digests, the signed entries about each item, receipts, and a piece
of the ledger without a gap that ends in a signature over `range:<seq>:<hash>`. What is checked: the
manifest against its own signature, so that names and addresses are those of the office too; every
file against the manifest, the piece link by link, each entry about an item by its own signature and
against the piece, each text against the digest that was approved, by whom, each decision against
its entry, and each receipt against what was signed of it and with the text that went out. Whether
the piece is part of the whole ledger is said by an export or a witness (docs/ledger.md).
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.verify import Broken, Entry, Row, check_entry, signature_holds

ABOUT, MANIFEST, PIECE = "about.json", "manifest.json", "ledger/range.jsonl"
SEALED, SEAL = "manifest.signature.json", "package"
"""The signature over the manifest, and the word before what it signs."""
_TEXT = re.compile(r"items/([^/]+)/([0-9a-f]{64})\.json")
_MEDIA = re.compile(rb"sha256:([0-9a-f]{64})")
_SENT = ("publication.finished", "publication.settled")
_PART = 2**20
_LARGEST = 2**31  # bytes of one file: an auditor's machine is not filled by a forged package


@dataclass
class Checked:
    """What holds and what does not, in Chinese."""

    holds: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """The entries of a package's part of the ledger, by number."""

    hashes: Mapping[int, str]
    by_subject: Mapping[str, Sequence[int]]


def check_bundle(file: IO[bytes], key: Ed25519PublicKey) -> Checked:
    """Check a package; whatever the file is, it is told and nothing is raised."""
    done = Checked()
    try:
        with zipfile.ZipFile(file) as package:
            _check(package, key, done)
    except Broken as broken:
        done.faults.append(f"台账在第 {broken.seq} 条断开：{broken.problem}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        done.faults.append(f"不是完好的 zip 文件：{error}")
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        done.faults.append(f"不是审发的证据包，或者缺少内容：{type(error).__name__}")
    except RuntimeError as error:  # nested too deeply, or under a password that no package has
        done.faults.append(f"不是审发的证据包，或者缺少内容：{type(error).__name__}")
    return done


def _check(package: zipfile.ZipFile, key: Ed25519PublicKey, done: Checked) -> None:
    if any(one.file_size > _LARGEST for one in package.infolist()):
        done.faults.append("包里有过大的文件，没有核验")
        return
    _files(package, key, done)
    if done.faults:  # what was exchanged is not read any further
        return
    piece = _piece(package, key)
    first, last = min(piece.hashes), max(piece.hashes)
    done.holds.append(f"台账第 {first} 条到第 {last} 条，条条相连，签名相符")
    media = frozenset(_media(package, done))
    items = sorted({one.split("/")[1] for one in package.namelist() if one.startswith("items/")})
    for item in items:
        _item(package, key, _Item(item, piece, media, done))


def _files(package: zipfile.ZipFile, key: Ed25519PublicKey, done: Checked) -> None:
    """The manifest is the office's, every file is the one of it, and none is beside it."""
    manifest, sealed = package.read(MANIFEST), json.loads(package.read(SEALED))
    said = f"{SEAL}:{int(sealed['seq'])}:{hashlib.sha256(manifest).hexdigest()}"
    if not signature_holds(key, str(sealed["signature"]), said):
        done.faults.append("清单的签名不符：包做成以后被改动过，或者不是这把公钥的单位做的")
    stated = json.loads(manifest)["sha256"]
    names = package.namelist()
    if len(set(names)) != len(names) or {*names} != {*stated, MANIFEST, SEALED}:
        done.faults.append("文件与清单不同：有增加、缺少或重名")
        return
    for name, digest in stated.items():
        with package.open(name) as held:
            if _digest(held) != digest:
                done.faults.append(f"{name} 与清单里的摘要不符")
    if not done.faults:
        done.holds.append(f"{len(stated)} 个文件与清单相符，清单的签名相符")


def _digest(held: IO[bytes]) -> str:
    """Read in parts: the piece of a busy year does not stand in memory for it."""
    whole = hashlib.sha256()
    for part in iter(lambda: held.read(_PART), b""):
        whole.update(part)
    return whole.hexdigest()


def _media(package: zipfile.ZipFile, done: Checked) -> Iterator[str]:
    """The digests of the pictures and files it holds."""
    for name in package.namelist():
        if name.startswith("media/"):
            digest = hashlib.sha256(package.read(name)).hexdigest()
            yield digest
            if not name.startswith(f"media/{digest}."):
                done.faults.append(f"{name} 与文件名里的摘要不符")


def _lines(package: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    with package.open(name) as held:
        for line in held:
            if line.strip():
                yield dict(json.loads(line))


def _entry(line: Mapping[str, Any], key: Ed25519PublicKey, prev: str | None = None) -> Entry:
    """One entry by itself; with `prev`, as the link after that hash."""
    said = json.loads(line["preimage"])
    seq, before = int(said["seq"]), str(said["prev"]) if prev is None else prev
    return check_entry(Row(line["preimage"], line["hash"], line["signature"]), seq, before, key)


def _piece(package: zipfile.ZipFile, key: Ed25519PublicKey) -> Piece:
    """The piece of the ledger, link by link up to its signed end; Broken otherwise."""
    hashes: dict[int, str] = {}
    subjects: dict[str, list[int]] = defaultdict(list)
    seq, prev, ended = 0, None, False
    for line in _lines(package, PIECE):
        if ended:
            raise Broken(seq + 1, "签名的结尾之后又添了内容")
        if "preimage" in line:
            entry = _entry(line, key, prev)
            if prev is not None and entry.seq != seq + 1:
                raise Broken(seq + 1, "缺少这一条")
            seq, prev = entry.seq, entry.hash
            hashes[seq] = prev
            subjects[entry.subject].append(seq)
        elif "anchor" in line:
            _mark(line["anchor"], "anchor", hashes, key)
        else:
            _mark(line["range"], "range", hashes, key)
            ended = int(line["range"]["seq"]) == seq
    if not ended:
        raise Broken(seq + 1, "没有签名的结尾，末尾可能被截去")
    return Piece(hashes, subjects)


def _mark(
    mark: Mapping[str, Any], name: str, hashes: Mapping[int, str], key: Ed25519PublicKey
) -> None:
    number, digest = int(mark["seq"]), str(mark["hash"])
    if not signature_holds(key, str(mark["signature"]), f"{name}:{number}:{digest}"):
        raise Broken(number, "检查点的签名不符")
    if hashes.get(number) != digest:
        raise Broken(number, "与检查点记录的摘要不同")


@dataclass(frozen=True)
class _Item:
    id: str
    piece: Piece
    media: frozenset[str]
    done: Checked

    def wrong(self, words: str) -> None:
        self.done.faults.append(f"稿件 {self.id}：{words}")


def _item(package: zipfile.ZipFile, key: Ed25519PublicKey, item: _Item) -> None:
    """One item: its entries, its texts with their pictures, who let them out, its receipts."""
    folder = f"items/{item.id}"
    entries = [_entry(line, key) for line in _lines(package, f"{folder}/review.jsonl")]
    _complete(entries, item)
    texts = 0
    for name in package.namelist():
        found = _TEXT.fullmatch(name)
        if found and found[1] == item.id:
            texts += 1
            _text(package, name, entries, item)
        elif name.startswith(f"{folder}/receipt-"):
            receipt = json.loads(package.read(name))
            _receipt(receipt, entries, item)
            if f"{folder}/{receipt['digest']}.json" not in package.namelist():
                item.wrong(f"缺少发出的内容 {receipt['digest'][:16]}")
    _words(json.loads(package.read(f"{folder}/decisions.json")), entries, item)
    people = 0
    for one in entries:
        if one.kind == "release.created":
            approved, faults = approvals(entries, one)
            people += len(approved)
            for words in faults:
                item.wrong(f"台账第 {one.seq} 条放行，{words}")
    words = f"{len(entries)} 条签名记录、{texts} 份内容与摘要相符，放行前 {people} 人次批准"
    item.done.holds.append(f"稿件 {item.id}：{words}")


def _complete(entries: Sequence[Entry], item: _Item) -> None:
    """None is missing, added or exchanged as far as the piece goes."""
    subject = f"item:{item.id}"
    if any(one.subject != subject for one in entries):
        item.wrong("记录里混有别的稿件的条目")
    inside = [one for one in entries if one.seq in item.piece.hashes]
    numbers = [one.seq for one in inside]
    if numbers != list(item.piece.by_subject.get(subject, ())):
        item.wrong("记录与台账区间不同，有缺少、增加或换序")
    elif any(item.piece.hashes[one.seq] != one.hash for one in inside):
        item.wrong("记录与台账区间里的不是同一条")


def _text(package: zipfile.ZipFile, name: str, entries: Sequence[Entry], item: _Item) -> None:
    content, digest = package.read(name), name.rpartition("/")[2].removesuffix(".json")
    if hashlib.sha256(content).hexdigest() != digest:
        item.wrong(f"内容 {digest[:16]} 与文件名里的摘要不符")
    if not any(one.body.get("digest") == digest for one in entries if _makes(one)):
        item.wrong(f"台账里没有内容 {digest[:16]}")
    for wanted in sorted({one.decode() for one in _MEDIA.findall(content)} - item.media):
        item.wrong(f"缺少图片或附件 {wanted[:16]}")


def _words(decided: Sequence[Mapping[str, Any]], entries: Sequence[Entry], item: _Item) -> None:
    """The decisions in the package are those that were signed, each with its reasons."""
    signed = {one.seq: one for one in entries if one.kind == "decision"}
    for one in decided:
        entry = signed.get(one["entry"])
        text = json.dumps(one["words"], ensure_ascii=False, sort_keys=True)
        made = hashlib.sha256(f"{one['salt']}\n{text}".encode()).hexdigest()
        if entry is None or entry.body.get("notes", made) != made:
            item.wrong(f"第 {one['entry']} 条决定的理由与签名时不同")
        elif (one["staff"], one["verdict"], one["digest"]) != _decided(entry):
            item.wrong(f"第 {one['entry']} 条决定的人、结论或内容与签名时不同")
    for seq in sorted(signed.keys() - {one["entry"] for one in decided}):
        item.wrong(f"缺少第 {seq} 条决定的理由")


def _decided(entry: Entry) -> tuple[Any, ...]:
    return entry.actor, entry.body.get("verdict"), entry.body.get("digest")


def _makes(entry: Entry) -> bool:
    return entry.kind == "revision.created"


def _receipt(receipt: Mapping[str, Any], entries: Sequence[Entry], item: _Item) -> None:
    """What a receipt says was signed when the platform answered."""
    told = [
        one.body
        for one in entries
        if one.kind in _SENT and one.body.get("publication") == receipt["publication"]
    ]
    out = [one for one in told if one.get("result") == "published" or one.get("sent")]
    if not out:
        item.wrong(f"台账里没有回执 {receipt['publication']} 的发布")
        return
    for name in ("digest", "ref", "url"):
        if name in out[-1] and out[-1][name] != receipt[name]:
            item.wrong(f"回执 {receipt['publication']} 的 {name} 与台账不同")


def approvals(entries: Sequence[Entry], released: Entry) -> tuple[list[Entry], list[str]]:
    """The approvals a release rests on, and what they lack. What the sender asks is more.

    Levels and quorum as frozen at submission; all about the very digest, by as many people, none
    of whom wrote it.
    """
    digest = released.body.get("digest")
    before = [one for one in entries if one.seq < released.seq]
    submits = [one for one in before if one.kind == "item.submitted"]
    if not submits or submits[-1].body.get("digest") != digest:
        return [], ["放行的不是提交审核的那份内容"]
    submit = submits[-1]
    given = [
        one
        for one in before
        if one.kind == "decision" and one.seq > submit.seq and not one.body.get("retrospective")
    ]
    approved = [one for one in given if one.body.get("verdict") == "approve"]
    faults = []
    if len(approved) != len([one for one in given if one.body.get("verdict") != "refer"]):
        faults.append("放行以前有人退回")
    if any(one.body.get("digest") != digest for one in approved):
        faults.append("有人批准的不是这份内容")
    makers = {one.actor for one in before if _makes(one) and not one.body.get("class_only")}
    people = [one.actor for one in approved]
    if len(set(people)) != len(people) or makers & set(people):
        faults.append("有人批准了两级，或批准了自己写的")
    counts = [one.body.get("level") for one in approved]
    faults += [
        f"缺少{level['name']}的批准"
        for number, level in enumerate(_levels(submit, before))
        if counts.count(number) < int(level.get("quorum", 1))
    ]
    return approved, faults


def _levels(submit: Entry, before: Sequence[Entry]) -> Sequence[Mapping[str, Any]]:
    flow = submit.body["workflow"]
    kinds = [one.body.get("kind") for one in before if _makes(one)]
    own = flow.get("kinds", {}).get(kinds[-1] if kinds else "")
    return list((own or flow)["levels"])
