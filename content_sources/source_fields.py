"""A source as it shall be: read from a form, from the table, and as a signed entry keeps it."""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

import rfc8785

from config.clock import BEIJING, now
from content_sources.models import Source
from content_sources.whitelist import listed_host
from staff.refusal import Reason, Refused

SIGNED = (
    "organisation", "hosts", "allow_http", "paths", "topics", "picture_licence", "basis",
    "basis_file", "list_version", "valid_from", "valid_to",
)  # fmt: skip
"""What a signed entry carries of a source; the owner is a person and stays out of the ledger."""


LABELS = {
    "organisation": "稿源单位",
    "hosts": "网站域名",
    "paths": "栏目路径",
    "topics": "主题范围",
    "picture_licence": "图片许可",
    "basis": "依据文件",
    "basis_file": "依据文件附件",
    "list_version": "名单版本",
    "owner": "负责人",
    "valid_from": "生效",
    "valid_to": "有效期至",
    "allow_http": "允许 http",
}
_HERE = re.compile(r"127\.0\.0\.1(:\d{1,5})?")
_MARKER = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class SourceFields:
    """A source as it shall be: unit, exact hosts, scope, authorising document, validity, owner."""

    organisation: str
    hosts: tuple[str, ...]
    basis: str
    valid_from: datetime
    valid_to: datetime | None = None
    list_version: str = ""
    owner: str = ""
    basis_file: str = ""
    paths: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    picture_licence: str = ""
    allow_http: bool = False

    def to_json(self) -> dict[str, object]:
        """Plain JSON; moments as ISO 8601."""
        return {
            "organisation": self.organisation,
            "hosts": list(self.hosts),
            "allow_http": self.allow_http,
            "paths": list(self.paths),
            "topics": list(self.topics),
            "picture_licence": self.picture_licence,
            "basis": self.basis,
            "basis_file": self.basis_file,
            "list_version": self.list_version,
            "owner": self.owner,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
        }


def read_fields(
    given: Mapping[str, str], topics: Mapping[str, str] | None, kept: Collection[str] = ()
) -> SourceFields:
    """A form's texts, or Refused (422) with every field that is wrong.

    `kept` are hosts the source has already; None for `topics` leaves them to whoever asked.

    `hosts`, `paths` and `topics` are parted by spaces or commas; `topics` of the office are known.
    Dates are ISO 8601; a day means its midnight in Beijing, which `read_moment` of the caller did.
    """
    faults: list[Reason] = []
    hosts = _hosts(given.get("hosts", ""), faults, kept)
    if not given.get("organisation", "").strip():
        faults.append(Reason("organisation", "请填写稿源单位名称"))
    if len(given.get("basis", "").strip()) < 4:
        faults.append(Reason("basis", "请填写依据文件的名称或文号"))
    paths = _words(given.get("paths", ""))
    for path in paths:
        if not path.startswith("/") or ".." in path or "%" in path:
            faults.append(Reason("paths", f"栏目路径“{path[:60]}”不对：以 / 开头，例如 /zwgk/"))
    chosen = _words(given.get("topics", ""))
    if unknown := [key for key in chosen if topics is not None and key not in topics]:
        faults.append(Reason("topics", f"不认识的主题：{'、'.join(unknown)}"))
    if (file := given.get("basis_file", "")) and not _MARKER.fullmatch(file):
        faults.append(Reason("basis_file", "依据文件附件要先上传，这里写它的 sha256 摘要"))
    begin = _moment(given.get("valid_from", ""), "生效时间", faults) or now()
    end = _moment(given.get("valid_to", ""), "有效期", faults)
    if end is not None and end <= begin:
        faults.append(Reason("valid_to", "有效期必须晚于生效时间"))
    if faults:
        raise Refused(422, faults)
    return SourceFields(
        organisation=given["organisation"].strip()[:120],
        hosts=hosts,
        basis=given["basis"].strip()[:300],
        valid_from=begin,
        valid_to=end,
        list_version=given.get("list_version", "").strip()[:60],
        owner=given.get("owner", "").strip()[:60],
        basis_file=file,
        paths=paths,
        topics=chosen,
        picture_licence=given.get("picture_licence", "").strip()[:200],
    )


def fields_from(data: Any, kept: Collection[str] = ()) -> SourceFields:
    """A source as `to_json` gives it, checked like a form; Refused (422) with every fault."""
    if not isinstance(data, Mapping):
        raise Refused(422, [Reason("fields", "请写明稿源的各项登记")])
    lists = {
        name: " ".join(map(str, data.get(name) or ())) for name in ("hosts", "paths", "topics")
    }
    texts = {name: str(data.get(name) or "") for name in LABELS}
    # This machine itself is no form of a typed host; the fetcher opens it only where a sandbox may.
    here = {word for word in lists["hosts"].split() if _HERE.fullmatch(word)}
    fields = read_fields(texts | lists, None, {*kept, *here})
    return replace(fields, allow_http=data.get("allow_http") is True)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Label, old and new text of every field that differs."""
    return [
        (label, _said(before.get(name)), _said(after.get(name)))
        for name, label in LABELS.items()
        if _said(before.get(name)) != _said(after.get(name))
    ]


def _said(value: object) -> str:
    if isinstance(value, list):
        return "、".join(str(part) for part in value)
    if isinstance(value, bool):
        return "是" if value else ""
    text = str(value or "")
    return text[:10] if "T" in text and text[:4].isdigit() else text


def day_text(text: str) -> str:
    """A date field as midnight of Beijing in ISO 8601; what is no date is left for the check."""
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (day if day.tzinfo else datetime.combine(day.date(), time(), BEIJING)).isoformat()


def _words(text: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(text.replace("，", " ").replace(",", " ").replace("、", " ").split())
    )


def _hosts(text: str, faults: list[Reason], kept: Collection[str]) -> tuple[str, ...]:
    hosts = []
    for word in _words(text):
        # A host that was determined once is not asked for its form again.
        if word in kept:
            hosts.append(word)
            continue
        try:
            hosts.append(listed_host(word))
        except ValueError as error:
            faults.append(Reason("hosts", str(error)))
    if not _words(text):
        faults.append(Reason("hosts", "请填写网站域名，例如 www.example.gov.cn"))
    return tuple(dict.fromkeys(hosts))


def _moment(text: str, name: str, faults: list[Reason]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        faults.append(Reason("time", f"{name}不是有效时间：请按 2026-11-24 的格式填写"))
        return None
    return moment


def fields_of(row: Source) -> SourceFields:
    """A source as it stands in the table."""
    return SourceFields(
        organisation=row.organisation,
        hosts=tuple(row.hosts),
        basis=row.basis,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        list_version=row.list_version,
        owner=row.owner,
        basis_file=row.basis_file,
        paths=tuple(row.paths),
        topics=tuple(row.topics),
        picture_licence=row.picture_licence,
        allow_http=row.allow_http,
    )


def signed_body(fields: Mapping[str, Any]) -> dict[str, object]:
    """What the ledger keeps of a source, with the digest over it."""
    body = {name: fields[name] for name in SIGNED}
    return body | {"digest": hashlib.sha256(rfc8785.dumps(body)).hexdigest()}
