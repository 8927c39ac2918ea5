"""An office's taxonomy with what a newer program brings: a text for two people to decide about.

What the office has stays as it signed it: no key, label, word or parent of its own is changed, and
existing subscriptions keep matching. Added are values it has no key and no label for (nor a key
they had before), whose wider value it has; and names that nobody of the dimension answers to yet. A
name of an added value goes from the value it is a part of: 招聘 no longer means all of 就业创业
once 招聘信息 is there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from facets.taxonomy import DIMENSIONS, parse_taxonomy

_Values = dict[str, dict[str, Any]]
_HEAD = """# 本单位现有的分类，加上新版程序带来的值和叫法；原有的值、名称和从属都没有改。
# 请核对后由两人批准：shenfa settings propose taxonomy.yaml --by … --reason …
"""


def merged(own: str, brought: str) -> str:
    """The text of a taxonomy; both are checked as they are read in force (TaxonomyError)."""
    ours, theirs = yaml.safe_load(own), yaml.safe_load(brought)
    parse_taxonomy(ours)
    parse_taxonomy(theirs)
    for name in DIMENSIONS:
        body = ours["dimensions"][name]
        body["values"] = _values(body["values"], theirs["dimensions"][name]["values"])
    return written(_HEAD, {**ours, "version": theirs.get("version", 1)})


def written(head: str, data: Mapping[str, Any]) -> str:
    """A taxonomy as a text, a line each value, below some lines of comment; TaxonomyError."""
    lines = [f"{head}version: {data.get('version', 1)}\ndimensions:"]
    for name in DIMENSIONS:
        body = data["dimensions"][name]
        lines.append(f"  {name}:\n    label: {body.get('label') or name}")
        if body.get("silent"):
            lines.append(f"    silent: [{', '.join(body['silent'])}]")
        lines.append("    values:")
        lines += [f"      {key}: {_line(value)}" for key, value in body["values"].items()]
        if not body["values"]:
            lines[-1] += " {}"
    text = "\n".join(lines) + "\n"
    parse_taxonomy(yaml.safe_load(text))
    return text


def _values(own: Mapping[str, Any], brought: Mapping[str, Any]) -> _Values:
    found: _Values = {str(key): dict(value) for key, value in own.items()}
    labels = {value["label"] for value in found.values()}
    # What the office has, and what it had: a value that it merged away does not come back.
    known = {*found, *(str(old) for value in found.values() for old in value.get("was") or ())}
    added: _Values = {}
    for key, value in brought.items():
        above = value.get("parent")
        theirs = {key, *map(str, value.get("was") or ())}
        if not theirs & known and value["label"] not in labels and (not above or above in found):
            found[key] = added[key] = dict(value)
    for value in added.values():
        wider = found.get(str(value.get("parent")))
        if wider is not None and wider.get("aliases"):
            own_names = {value["label"], *value.get("aliases", ())}
            wider["aliases"] = [one for one in wider["aliases"] if one not in own_names]
    taken = {name for value in found.values() for name in _names(value)}
    for key, value in brought.items():
        if key in found and key not in added:
            new = [name for name in _names(value) if name not in taken]
            found[key]["aliases"] = [*found[key].get("aliases", ()), *new]
            taken.update(new)
    return found


def _names(value: Mapping[str, Any]) -> Iterator[str]:
    yield value["label"]
    yield from map(str, value.get("aliases") or ())


def _line(value: Mapping[str, Any]) -> str:
    """One value on one line, as people wrote it: a setting is read line by line."""
    return str(
        yaml.safe_dump(
            dict(value),
            allow_unicode=True,
            default_flow_style=True,
            sort_keys=False,
            width=float("inf"),
        )
    ).strip()
