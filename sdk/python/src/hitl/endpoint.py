"""Which endpoints there are: the same in every language, as `sdk/endpoints.json` lists them."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from hitl.error import Invalid
from hitl.shown import one_line

# What an endpoint without a port means, as with every such URL.
_PORTS = {"http": "80", "https": "443"}
# More servers than anybody would list.
ENDPOINTS_MAX = 16
# The longest name of DNS.
_NAME_CHARS_MAX = 253

# Underscores are no part of names on the Internet, but of many within a network.
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.ASCII)
# What ends in a number is an address, as every resolver takes it.
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?[0-9]+\.?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(:(?P<port>.*))?", re.DOTALL)
_PORT = re.compile(r"0*[0-9]{1,5}", re.ASCII)


def parse_endpoints(given: str) -> tuple[str, ...]:
    """The endpoints of a list with commas, each once and all of one scheme."""
    listed = given.split(",")
    if len(listed) > ENDPOINTS_MAX:
        raise Invalid(f"these are {len(listed)} endpoints: give at most {ENDPOINTS_MAX}")
    parsed = tuple(dict.fromkeys(map(parse_endpoint, listed)))
    if len({endpoint.partition(":")[0] for endpoint in parsed}) > 1:
        raise Invalid("some of the endpoints are http and some https: give all as one of both")
    return parsed


def parse_endpoint(given: str) -> str:
    """The endpoint as `http://HOST:PORT` or `https://HOST:PORT`, in lower case."""
    scheme, found, rest = given.strip(" \t\r\n").partition("://")
    if not found:
        scheme, rest = "http", scheme
    scheme = scheme.lower()
    authority, _, path = rest.partition("/")
    match = _AUTHORITY.fullmatch(authority.lower())
    default = _PORTS.get(scheme, "")
    port = match and port_number(default if match["port"] is None else match["port"])
    usable = scheme in _PORTS and authority.isascii() and match and _is_host(match["host"])
    if not usable or not match or not port or any(sign in path for sign in "?#@\\"):
        raise _unusable(given)
    if path := path.rstrip("/"):
        help = f'. It has the path "/{path}", and hitl serves nothing below a path: leave it out'
        raise _unusable(given, help)
    return f"{scheme}://{match['host']}:{port}"


def is_loopback(endpoint: str) -> bool:
    """Whether a parsed endpoint is on this machine."""
    host = endpoint.partition("://")[2].rpartition(":")[0]
    if host.startswith("["):
        return IPv6Address(host[1:-1]).is_loopback
    if _ENDS_IN_NUMBER.fullmatch(host):
        return IPv4Address(host).is_loopback
    return host == "localhost"


def port_number(text: str) -> int | None:
    """1 to 65535, in digits and nothing else."""
    number = int(text) if _PORT.fullmatch(text) else 0
    return number if 0 < number < 65536 else None


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            return "%" not in host and bool(IPv6Address(host[1:-1]))
        if _ENDS_IN_NUMBER.fullmatch(host):
            return bool(IPv4Address(host))
    except AddressValueError:
        return False
    return len(host) <= _NAME_CHARS_MAX and bool(_NAME.fullmatch(host))


def _unusable(given: str, more: str = "") -> Invalid:
    # What stands before an @ may be a password.
    shown = re.sub(r"(^|//)[^/]*@", r"\1…@", given)
    message = f'the endpoint "{shown}" is not usable: give it as http://HOST:PORT or https://HOST:PORT{more}'
    return Invalid(one_line(message))
