"""Receipts: proof of how an event ended, which is verified without the server.

The signature is checked by the package `cryptography`: `pip install hitl-sdk[receipts]`.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hitl import v1
from hitl.error import Invalid
from hitl.shown import one_line, quoted

ALGORITHM = "Ed25519"
# Before the hash of what is signed: says what it is, and ends where no other use of the key does.
_DOMAIN = b"hitl receipt v1\0"
_FORMATS = ("hitl.receipt.v1", "hitl.receipt.v2", "hitl.receipt.v3")
# More than any deployment has: a new one each day for a year and more.
KEYS_MAX = 500
_KEY_BYTES = 32


@dataclass(frozen=True)
class Statement:
    """What a receipt says that was verified."""

    json: Mapping[str, Any]
    """All of it: `question` and `response`, as the JSON of the API has them."""

    @property
    def event_id(self) -> str:
        """The id of the event. That it is the one that you mean is for you to compare."""
        return self._text("question", "id")

    @property
    def namespace(self) -> str:
        """The namespace of the event."""
        return self._text("question", "namespace")

    @property
    def state(self) -> str:
        """How the event ended, such as `EVENT_STATE_ANSWERED`."""
        return self._text("response", "state")

    @property
    def time(self) -> str:
        """When the event ended, in RFC 3339."""
        return self._text("response", "time")

    def _text(self, part: str, member: str) -> str:
        found = self.json.get(part)
        text = found.get(member) if isinstance(found, dict) else None
        return text if isinstance(text, str) else ""


class KeySet(Mapping[str, bytes]):
    """The public keys that verify receipts: 32 bytes each, by their names."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = {_name(key): key for key in keys}
        if len(self) > KEYS_MAX:
            raise Invalid(f"there are more than {KEYS_MAX} keys")
        if damaged := [name for name, key in self.items() if len(key) != _KEY_BYTES]:
            raise Invalid(f"the key {damaged[0]} is damaged: a key has {_KEY_BYTES} bytes")

    @classmethod
    def from_json(cls, text: str) -> "KeySet":
        """The keys in a JWK set, as `to_json` and `hitl receipt-key list` write it.

        Keys of other kinds are passed over. `Invalid` if it is none, or a key is not what its name
        says.
        """
        try:
            jwks = [dict(jwk) for jwk in json.loads(text)["keys"]]
        except (LookupError, TypeError, ValueError, RecursionError):
            raise Invalid(
                "these are no public keys of receipts: a JWK set is wanted, as "
                "`hitl receipt-key list` prints it"
            ) from None
        ours = [jwk for jwk in jwks if (jwk.get("kty"), jwk.get("crv")) == ("OKP", ALGORITHM)]
        return cls(map(_key, ours))

    def to_json(self) -> str:
        """The keys as a JWK set (RFC 7517), to be kept."""
        jwks = [{**_required(key), "kid": name} for name, key in self.items()]
        return json.dumps({"keys": [{**jwk, "alg": "EdDSA", "use": "sig"} for jwk in jwks]})

    def __getitem__(self, name: str) -> bytes:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<{len(self)} public keys of receipts>"


@dataclass(frozen=True)
class Receipt:
    """How an event ended, signed by the server that recorded it."""

    text: str
    """What is signed, in canonical JSON (RFC 8785)."""
    algorithm: str
    """How it is signed: `Ed25519`."""
    key_id: str
    """The name of the key that verifies it."""
    signature: bytes
    """The signature, 64 bytes."""

    @classmethod
    def from_json(cls, text: str) -> "Receipt":
        """The receipt in JSON: as `to_json` writes it, or as `GET /v1/events/{id}/receipt` answers.

        `Invalid` if it is none.
        """
        try:
            written = json.loads(text)
            written = written.get("receipt", written)
            text, algorithm, key_id, signature = (
                _text(written[name]) for name in ("text", "algorithm", "keyId", "signature")
            )
            return cls(text, algorithm, key_id, base64.b64decode(signature, validate=True))
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            message = f"this is no receipt, or not a whole one: {error!r}"
            raise Invalid(one_line(message)) from None

    def to_json(self) -> str:
        """The receipt as JSON, on one line, to be kept."""
        signature = base64.b64encode(self.signature).decode()
        written = {"text": self.text, "algorithm": self.algorithm, "keyId": self.key_id}
        return json.dumps({**written, "signature": signature}, ensure_ascii=False)

    def verify(self, keys: KeySet) -> Statement:
        """What the receipt says, if one of the keys has signed it; else `Invalid`.

        Calls no server. `docs/receipts.md` says what a receipt does not prove. Needs the package
        `cryptography`: `pip install hitl-sdk[receipts]`.
        """
        if self.algorithm != ALGORITHM:
            how = quoted(self.algorithm)
            raise Invalid(f"it is signed with {how}, and this program knows only {ALGORITHM}")
        key = keys.get(self.key_id)
        if key is None:
            raise Invalid(
                f"it is signed with the key {quoted(self.key_id)}, which is not among the "
                f"{len(keys)} keys that were given: fetch the keys of the deployment that it is "
                "from, or it is forged"
            )
        digest = hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).digest()
        if not _has_signed(key, _DOMAIN + digest, self.signature):
            raise Invalid(
                "the signature does not fit: the text, the signature or the name of the key was "
                "changed"
            )
        return _statement(self.text)


def received(receipt: v1.Receipt) -> Receipt:
    """The receipt in a message of the API."""
    return Receipt(receipt.text, receipt.algorithm, receipt.key_id, receipt.signature)


def _text(member: object) -> str:
    if not isinstance(member, str):
        raise TypeError("a member is no text")
    return member


def _statement(text: str) -> Statement:
    try:
        said = json.loads(text)
        named = said.get("format")
        why = "" if named in _FORMATS else f"its format is {named!r}"
    except (AttributeError, ValueError, RecursionError) as error:
        said, why = {}, str(error)
    if why:
        raise Invalid(
            "its signature is right, and this program does not understand what it says "
            f"({one_line(why)}): use a newer one"
        )
    return Statement(said)


def _has_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as missing:
        help = "to verify a receipt takes the package cryptography: pip install hitl-sdk[receipts]"
        raise ImportError(help) from missing
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _required(key: bytes) -> dict[str, str]:
    """The members of a JWK that its thumbprint (RFC 7638) is made of, in their order."""
    x = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    return {"crv": ALGORITHM, "kty": "OKP", "x": x}


def _name(key: bytes) -> str:
    written = json.dumps(_required(key), separators=(",", ":"))
    digest = hashlib.sha256(written.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _key(jwk: Mapping[str, Any]) -> bytes:
    """The key in a JWK."""
    named, x = str(jwk.get("kid") or ""), str(jwk.get("x"))
    try:
        key = base64.b64decode(x + "=" * (-len(x) % 4), altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        message = f"the key {named} is damaged: it must be {_KEY_BYTES} bytes in base64url"
        raise Invalid(one_line(message))
    # A name is made of its key, so that nobody can put another key under it.
    if named and named != (found := _name(key)):
        message = f"the key that is called {named} is another one, {found}: somebody has changed it"
        raise Invalid(one_line(message))
    return key
