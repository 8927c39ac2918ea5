"""What is said of a policy is mended: title, number, issuer, address, days, topics, status."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.clock import beijing, now
from facets.taxonomy import starting_taxonomy
from knowledge.altering import Alteration
from knowledge.cited import cited
from knowledge.forms import (
    LONGEST,
    Filling,
    Gates,
    day_in,
    known_in,
    must_be_new,
    must_be_open,
    must_be_plain,
    must_run_forward,
    named,
    signed_now,
    words_in,
)
from knowledge.proof import SignedPolicy
from knowledge.validity import STATUS_NAMES, parse_status
from ledger.append import Ledger, Transaction
from staff.proposals import Approval
from staff.refusal import Reason, Refused

FIELDS: Mapping[str, str] = {
    "title": "标题",
    "doc_number": "文号",
    "issuer": "发文机关",
    "url": "原文地址",
    "issued_on": "成文日期",
    "effective_from": "施行日期",
    "effective_to": "最后有效日",
    "repealed_on": "废止日期",
    "stated": "来源写明的有效性",
    "topics": "主题",
}
"""What may be mended, and what people call it."""
_DAYS = ("issued_on", "effective_from", "effective_to", "repealed_on")
_MOST_TOPICS = 5


class EditKind(Alteration):
    """{policy_id, fields}: the named fields are as given from now on; others stay."""

    label = "政策信息更正"

    def __init__(self, ledger: Ledger, gates: Gates, filling: Filling | None = None) -> None:
        """`gates` are asked of the words; topics are those of the office's taxonomy."""
        super().__init__(ledger)
        self._gates = gates
        self._taxonomy = (filling.taxonomy if filling else None) or starting_taxonomy()

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Only what differs from what is signed; Refused 404, 409 or 422."""
        state, _ = await self.standing(payload)
        given = payload.get("fields")
        if not isinstance(given, Mapping):
            raise Refused(422, [Reason("fields", "fields：应当写成“字段: 值”")])
        if unknown := sorted(set(given) - set(FIELDS)):
            words = f"没有“{unknown[0]}”这个字段，可以更正的是：{'、'.join(FIELDS)}"
            raise Refused(422, [Reason("fields", words)])
        read = {name: self._read(given, name) for name in FIELDS if name in given}
        fields = {name: value for name, value in read.items() if value != getattr(state, name)}
        for name, value in fields.items():
            must_be_plain(name, value or "")
        if not fields:
            raise Refused(422, [Reason("fields", "没有要更正的内容：每一项都和现在一样")])
        whole = {name: fields.get(name, getattr(state, name)) for name in FIELDS}
        _must_fit(state, whole)
        if {"stated", "effective_to"} & set(fields):
            _must_have_ended(whole)
        # Whose repeal is undone stands beside what came in meanwhile under its number.
        back = "repealed_on" in fields and fields["repealed_on"] is None
        if back or {"title", "doc_number"} & set(fields):
            form = {"id": state.id} | whole
            must_be_new(form, await signed_now(self._ledger), state.text_sha256)
        said = [fields.get(name) or "" for name in ("title", "issuer", "url")]
        await must_be_open(self._gates, whole["title"], "\n".join(said))
        return {"policy_id": state.id, "fields": fields, "was": state.digest}

    def _read(self, given: Mapping[str, Any], name: str) -> str | None:
        if name in _DAYS:
            return day_in(given, name)
        if name == "topics":
            return self._topics(given["topics"])
        if name == "stated":
            try:
                stated = parse_status(given["stated"], "stated")
            except ValueError as error:
                raise Refused(422, [Reason("stated", str(error))]) from error
            return None if stated == "in_force" else stated
        value = words_in(given, name).strip()
        if len(value) > LONGEST[name]:
            raise Refused(422, [Reason(name, f"{FIELDS[name]}不能超过 {LONGEST[name]} 字")])
        return value

    def _topics(self, given: Any) -> str:
        """Keys between commas, given as keys or as what people call them."""
        listed: Sequence[Any] = given if isinstance(given, list) else str(given or "").split(",")
        known = self._taxonomy.names("topics")
        keys = {label: key for key, label in known.items()} | {key: key for key in known}
        asked = [words for words in (str(one).strip() for one in listed) if words]
        if wrong := [one for one in asked if one not in keys]:
            words = f"没有“{wrong[0]}”这个主题，可以是：{'、'.join(known.values())}"
            raise Refused(422, [Reason("topics", words)])
        if not 0 < len(asked) <= _MOST_TOPICS:
            raise Refused(422, [Reason("topics", f"主题选 1 至 {_MOST_TOPICS} 个")])
        return ",".join(dict.fromkeys(keys[one] for one in asked))

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each field before and after, and who rests on the policy."""
        state = known_in(await signed_now(self._ledger), payload["policy_id"])
        async with self._ledger.db.session() as session:
            rests = await cited(session, state)
        changes = [{"sign": "~", "text": f"{named(state.title)}的信息更正"}]
        for name, after in payload["fields"].items():
            before = self._shown(name, getattr(state, name))
            text = f"{FIELDS[name]}：{before} → {self._shown(name, after)}"
            changes.append({"sign": "~", "text": text})
        if "repealed_on" in payload["fields"] and not payload["fields"]["repealed_on"]:
            changes.append({"sign": "+", "text": "撤销废止：这份文件按其他日期重新判断是否有效"})
        return {
            "changes": changes,
            "warnings": rests.lines,
            "mentions": rests.items,
            "note": "条文不变。批准后答复按更正后的信息注明出处、判断是否有效。",
        }

    def _shown(self, name: str, value: str | None) -> str:
        if not value:
            return "（空）"
        if name == "stated":
            return STATUS_NAMES[value]
        if name == "topics":
            return "、".join(self._taxonomy.label("topics", key) for key in value.split(","))
        return value

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Mend the row, which must be what was proposed against, and sign how it stands."""
        policy, clauses = await self.rows(tx, payload)
        fields = payload["fields"]
        for name, value in fields.items():
            setattr(policy, name, value)
        if "repealed_on" in fields and fields["repealed_on"] is None:
            policy.successor_id = None
        if fields.get("topics"):
            policy.facets = {**policy.facets, "topics": fields["topics"].split(",")}
        return await self.put(tx, policy, clauses, approval)


def _must_have_ended(whole: Mapping[str, Any]) -> None:
    """What its source calls ended has no last day that is still to come; Refused 422."""
    last, today = whole["effective_to"], str(beijing(now()).date())
    if whole["stated"] not in ("expired", "repealed") or whole["repealed_on"]:
        return
    if last and last >= today:
        words = (
            f"来源写明{STATUS_NAMES[whole['stated']]}，最后有效日却是还没有过去的 {last}："
            "请同时改成实际的最后有效日，不知道的请清空"
        )
        raise Refused(422, [Reason("effective_to", words)])


def _must_fit(state: SignedPolicy, whole: Mapping[str, Any]) -> None:
    """The fields together; Refused 422."""
    if not whole["title"].strip():
        raise Refused(422, [Reason("title", "标题不能为空，请补上")])
    if whole["url"] and not whole["url"].startswith(("http://", "https://")):
        raise Refused(422, [Reason("url", "原文地址要以 http:// 或 https:// 开头，没有就留空")])
    if whole["repealed_on"] and state.repealed_on is None:
        words = "这份文件没有废止。要废止它，请提出“废止”，写明从哪一天起"
        raise Refused(422, [Reason("repealed_on", words)])
    must_run_forward(whole)
