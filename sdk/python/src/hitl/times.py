"""Dates and instants, as RFC 3339 writes them and Python holds them."""

import re
from datetime import date, datetime, timedelta, timezone

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"(?P<minutes>\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}):(?P<seconds>\d{2})"
    r"(\.(?P<fraction>\d+))?([Zz]|(?P<sign>[+-])(?P<hours>\d{2}):(?P<rest>\d{2}))",
    re.ASCII,
)


def read_date(text: str) -> date:
    """A day of the years 1 to 9999."""
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is no date such as 2026-11-22")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no day that a date holds: {error}") from error


def read_instant(text: str) -> datetime:
    """An instant in UTC, to the microsecond. What is finer is cut off."""
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no instant such as 2026-11-22T13:37:00Z")
    try:
        local = datetime.fromisoformat(match["minutes"]).replace(
            second=int(match["seconds"]),
            microsecond=int((match["fraction"] or "")[:6].ljust(6, "0")),
            tzinfo=timezone.utc,
        )
        east = timedelta(hours=int(match["hours"] or 0), minutes=int(match["rest"] or 0))
        return local + east if match["sign"] == "-" else local - east
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text!r} is no instant that a datetime holds: {error}") from error


def write_instant(instant: datetime) -> str:
    """The instant in UTC. One without a time zone is local."""
    return instant.astimezone(timezone.utc).isoformat()
