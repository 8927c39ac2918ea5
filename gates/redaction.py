"""Masks for personal data by profile: what is kept is a policy, in config/redaction.yaml."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import config
from gates.finding import Finding

PROFILES = Path(config.__file__).parent / "redaction.yaml"

PERSONAL = {
    "secrecy.id-card": "id-card",
    "secrecy.id-card-invalid": "id-card",
    "secrecy.id-card-15": "id-card",
    "secrecy.id-card-masked": "id-card",
    "secrecy.mobile": "mobile",
    "secrecy.bank-card": "bank-card",
    "secrecy.bank-card-invalid": "bank-card",
    "secrecy.passport": "passport",
    "secrecy.permit": "permit",
    "secrecy.plate": "plate",
    "secrecy.member-number": "member-number",
    "secrecy.e-mail": "e-mail",
    "secrecy.account": "account",
    "secrecy.home-phone": "mobile",
    "secrecy.home-address": "address",
    "secrecy.name": "name",
    "secrecy.minor": "name",
}
"""Rules whose findings are personal data that a mask settles, and the kind of mask."""

_AT = re.compile(r"[@＠]|\W{1,2}(?:at|艾特|a)\W{1,2}|艾特", re.IGNORECASE)
_DOT = re.compile(r"\W{0,2}(?:dot|点)\W{0,2}|．", re.IGNORECASE)
_TOWN = re.compile(r"^.*(?:街道(?:办事处)?|苏木|镇|乡)(?=.)")
_COUNTY = re.compile(r"^.*?(?:自治县|自治旗|[县区旗](?!间|域|内)|市(?!场|民))+")
_FORE = re.compile(r"^(?:[^:：为是在]{2,8}(?:为|是|[:： ])|(?:家|现|租|暂|居)?住(?:在|于)?)\s*")


class ProfileError(ValueError):
    """A profile that is not in the file; the text names those that are."""


@dataclass(frozen=True)
class Profile:
    """How much of each kind of datum stays: characters at the head and at the tail."""

    key: str
    label: str
    basis: str
    keep: Mapping[str, tuple[int, int]]
    name: str

    def mask(self, kind: str, value: str) -> str:
        """The masked form of a value as it stands in a text."""
        if kind == "name":
            return value[0] + self.name
        if kind == "e-mail":
            name, _, host = _AT.sub("@", value, count=1).partition("@")
            return f"{name[:1]}***@{_DOT.sub('.', host)}"
        if kind == "address":
            return town_of(value)
        plain = re.sub(r"[\s-]", "", value) if kind != "account" else value
        head, tail = self.keep[kind]
        # A value shorter than what is kept must not lose its middle twice.
        hidden = max(len(plain) - head - tail, 0)
        return plain[:head] + "*" * hidden + plain[len(plain) - tail :]


def town_of(address: str) -> str:
    """An address down to the town; without a town, down to the county."""
    fore = _FORE.match(address)
    start = fore.end() if fore else 0
    place = _TOWN.match(address[start:]) or _COUNTY.match(address[start:])
    # Without a town or county nothing of the place may stay: a village alone names a household.
    return address[: start + place.end()] if place else address[:start] + "（略）"


@cache
def profiles() -> Mapping[str, Profile]:
    """Every profile by its key, the one in use first."""
    data: Mapping[str, Any] = yaml.safe_load(PROFILES.read_text(encoding="utf-8"))
    made = {
        key: Profile(
            key=key,
            label=row["label"],
            basis=row["basis"],
            keep={kind: (head, tail) for kind, (head, tail) in row["keep"].items()},
            name=row["name"],
        )
        for key, row in data["profiles"].items()
    }
    used = data["use"]
    # The profile in use comes first in every list that people choose from.
    return {used: made[used]} | made


def profile_of(key: str = "") -> Profile:
    """The named profile, or the one in use; ProfileError when there is none of that name."""
    known = profiles()
    if not key:
        return next(iter(known.values()))
    if key not in known:
        raise ProfileError(f"没有这样的去标识化方案：{key}，可用 {'、'.join(known)}")
    return known[key]


def redact(text: str, findings: Iterable[Finding], profile: Profile) -> str:
    """The text with every personal datum among its findings masked; what overlaps, once.

    `findings` are those of this one field; those that no longer fit the text are left out.
    """
    end = len(text)
    pieces: list[str] = []
    # From the end: what was masked must not move what is still to be masked.
    for row in sorted(findings, key=lambda row: (row.start, -row.end), reverse=True):
        kind = PERSONAL.get(row.rule)
        fits = row.end <= end and text[row.start : row.end] == row.text
        # Hints are official addresses and the like: masking them would damage the text.
        if kind is None or not fits or row.severity == "hint":
            continue
        pieces += text[row.end : end], profile.mask(kind, row.text)
        end = row.start
    return text[:end] + "".join(reversed(pieces))
