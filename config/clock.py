"""The one clock: aware UTC, shifted by the development clock file when that is allowed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class _Shift:
    file: Path | None = None


def use_clock_file(path: Path | None) -> None:
    """Shift `now` by the seconds written in `path` (re-read at each call); None turns it off.

    Only the composition root calls this, and only when SHENFA_DEV=1.
    """
    _Shift.file = path


def now() -> datetime:
    """The present moment, aware, UTC."""
    moment = datetime.now(UTC)
    if _Shift.file is None:
        return moment
    try:
        seconds = float(_Shift.file.read_text(encoding="ascii").strip() or 0)
    except (OSError, ValueError):
        return moment
    return moment + timedelta(seconds=seconds)


def beijing(moment: datetime) -> datetime:
    """The same moment as staff and citizens read it (北京时间)."""
    return moment.astimezone(BEIJING)
