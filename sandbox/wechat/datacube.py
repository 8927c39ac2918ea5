"""Figures of yesterday and before: ready from eight o'clock, and not of what three people did."""

from datetime import date, datetime, timedelta, timezone

from sandbox.state import JSON
from sandbox.wechat.account import Call, WeChatError
from sandbox.wechat.publishing import permitted

READY = 8  # o'clock in Beijing, from which the figures of yesterday are there
LEAST = 3  # an article with fewer acts is left out (W38)
DAYS = 7  # an article is counted for so many days after its day
_BEIJING = timezone(timedelta(hours=8))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WeChatError(61500) from None


def article_total(call: Call) -> JSON:
    """datacube/getarticletotal: the mass sends of one day, each with its days so far."""
    permitted(call)
    begin, end = _day(call.text("begin_date")), _day(call.text("end_date"))
    local = datetime.fromtimestamp(call.now, _BEIJING)
    yesterday = local.date() - timedelta(days=1)
    # One day at a time, and never of today.
    if begin != end or end > yesterday:
        raise WeChatError(61501)
    if end == yesterday and local.hour < READY:
        raise WeChatError(61503)
    rows = []
    for number, job in call.account.mass.items():
        sent = datetime.fromtimestamp(job["at"], _BEIJING).date()
        # Everybody who has it reads it here, and every fifth shares it.
        readers = int(job.get("reached", 0))
        if sent == begin and readers >= LEAST and job["content"]["kind"] == "news":
            last = min(yesterday, begin + timedelta(days=DAYS - 1))
            rows += _articles(number, job["content"], begin, last, readers)
    return {"list": rows}


def _articles(number: int, content: JSON, begin: date, last: date, readers: int) -> list[JSON]:
    return [
        {
            "ref_date": begin.isoformat(),
            "msgid": f"{number}_{index}",
            "title": item["title"],
            "details": [
                {
                    "stat_date": (begin + timedelta(days=past)).isoformat(),
                    "target_user": readers,
                    "int_page_read_user": readers,
                    "int_page_read_count": readers * (past + 1),
                    "share_user": readers // 5,
                    "share_count": readers // 5,
                }
                for past in range((last - begin).days + 1)
            ],
        }
        for index, item in enumerate(content["items"], 1)
    ]
