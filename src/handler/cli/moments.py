"""Moments and spans of time, as people write and read them."""

import re
from datetime import UTC, datetime, timedelta

from handler.cli.trouble import Trouble

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"([0-9]{1,9})([smhdw])")


def span_of(text: str) -> int | None:
    """Seconds of ``30d`` or ``24h``; None for what is none."""
    told = _SPAN.fullmatch(text.strip())
    return int(told[1]) * SECONDS[told[2]] if told else None


def span_told(option: str, text: str) -> int:
    seconds = span_of(text)
    if seconds is None:
        raise Trouble(f"{option} {text}: must be a number and s, m, h, d or w, such as 24h")
    return seconds


def moment_told(option: str, text: str, now: float) -> str:
    """A span counts from now; a date or a moment is handed on as it is."""
    seconds = span_of(text)
    if seconds is None:
        return text
    try:
        return (datetime.fromtimestamp(int(now), UTC) + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        raise Trouble(f"{option} {text}: is too far away; leave it out for never") from None


def shown(moment: int | None, never: str = "") -> str:
    """``2027-01-31 12:00Z`` of seconds since 1970."""
    if moment is None:
        return never
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%MZ}"
