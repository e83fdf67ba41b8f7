"""Headers that go with every call, such as what a proxy on the way asks for."""

import re
from collections.abc import Mapping

from hitl.error import Invalid
from hitl.shown import quoted

HEADERS_MAX = 32

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
# Those of HTTP/2 and gRPC are made by them, and who calls is said by `token`.
_TAKEN = re.compile(
    r"authorization|connection|content-.*|grpc-.*|host|te|trailer|transfer-encoding|upgrade"
    r"|user-agent|.*-bin"
)
_VALUE = re.compile(r"[ -~]{0,4096}", re.ASCII)


def checked(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers with their names in lower case, if there can be such."""
    if len(headers) > HEADERS_MAX:
        raise Invalid(f"these are {len(headers)} headers: give at most {HEADERS_MAX}")
    return tuple(_header(name, value) for name, value in headers.items())


def _header(name: str, value: str) -> tuple[str, str]:
    lower = str(name).lower()
    if not str(name).isascii() or not _NAME.fullmatch(lower) or _TAKEN.fullmatch(lower):
        raise Invalid(
            f"no header can be called {quoted(str(name))}: give a name of letters, digits, "
            "-, _ and . that is not one of HTTP or gRPC, and the token by `token`"
        )
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        told = "has characters that a header cannot have, or more than 4,096"
        raise Invalid(f"the header {quoted(lower)} {told}")
    return lower, value
