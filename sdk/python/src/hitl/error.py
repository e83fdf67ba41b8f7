"""One error type, with a subclass for each kind: as many as a caller would handle differently."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc.aio import AioRpcError

from hitl import v1
from hitl.shown import lines, one_line, quoted

_DOMAIN = "hitl.v1"

# The longest that a server can have anyone wait before the next attempt, whatever it asks for.
_RETRY_DELAY_MAX_S = 60


class FieldViolation(NamedTuple):
    """A field that breaks a rule."""

    field: str
    """Path of the field, such as `value` or `input.int.min`."""
    description: str
    """The rule that it breaks."""

    def __str__(self) -> str:
        return one_line(f"{self.field}: {self.description}")


class Error(Exception):
    """Why a call failed, or why a wait ended without a value."""

    kind: ClassVar[str]
    """What went wrong, such as `not_found`: the name of the subclass."""
    message: str
    """What happened and what to do, for people. Hidden characters of what others wrote, such as
    line breaks and marks that turn the direction of text, are shown as escapes."""
    reason: str
    """Full name of the server's `v1.ErrorReason`. Empty if the error is not the server's."""
    metadata: Mapping[str, str]
    """The values that the message mentions, by the names that `v1.ErrorReason` documents."""
    field_violations: Sequence[FieldViolation]
    """The fields that break a rule, if it is `Invalid`."""
    retryable: bool
    """Whether the same call may succeed later. It has been repeated for a while already."""
    retry_delay: float
    """How many seconds the server asks to wait before the next attempt."""
    is_hopeless: bool
    """Whether another attempt now would fail alike: nobody listens where no server was ever met."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        message = lines(message)
        super().__init__(message)
        self.message, self.retryable, self.retry_delay = message, retryable, 0.0
        self.reason, self.metadata, self.field_violations = "", {}, []
        self._response: v1.Response | None = None
        self.is_hopeless = False

    @property
    def response(self) -> v1.Response | None:
        """How the event ended, if it is `Declined`, `Cancelled` or `TimedOut`."""
        return self._response

    def __init_subclass__(cls) -> None:
        words = "".join(
            f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__
        )
        cls.kind = words.removeprefix("_")


class NotFound(Error):
    """There is no such event in this namespace."""


class Invalid(Error):
    """The request, an answer, or the configuration breaks a rule: correct it."""


class Conflict(Error):
    """The event has ended, or the idempotency key belongs to a different request."""


class Unauthenticated(Error):
    """The server does not know who calls."""


class Denied(Error):
    """The caller may not do this."""


class Exhausted(Error):
    """The server is doing as much as it may: call again later."""


class Unavailable(Error):
    """The server cannot be reached or cannot serve now; whether the call took effect is unknown."""


class Internal(Error):
    """A fault of the server or of this package."""


class _Ended(Error):
    """The event being waited for ended without a value."""

    @property
    def response(self) -> v1.Response:
        """How the event ended."""
        return self._response or v1.Response()


class Declined(_Ended):
    """A person declined the event being waited for."""


class Cancelled(_Ended):
    """The event being waited for was cancelled by whoever asked."""


class TimedOut(_Ended, TimeoutError):
    """Nobody answered the event being waited for before its deadline, and it has no default."""


_KINDS: dict[StatusCode, type[Error]] = {
    StatusCode.NOT_FOUND: NotFound,
    StatusCode.INVALID_ARGUMENT: Invalid,
    StatusCode.OUT_OF_RANGE: Invalid,
    StatusCode.ALREADY_EXISTS: Conflict,
    StatusCode.FAILED_PRECONDITION: Conflict,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.PERMISSION_DENIED: Denied,
    StatusCode.RESOURCE_EXHAUSTED: Exhausted,
    StatusCode.UNAVAILABLE: Unavailable,
}

_KINDS_BY_NUMBER = {code.value[0]: kind for code, kind in _KINDS.items()}

# What a connection lost midway can show as, if no hitl server said it.
_LOST = {
    StatusCode.UNAVAILABLE,
    StatusCode.UNKNOWN,
    StatusCode.INTERNAL,
    StatusCode.CANCELLED,
    StatusCode.ABORTED,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.RESOURCE_EXHAUSTED,
}


# What gRPC says where nobody listens, or somebody whom this program does not trust.
_NOBODY = ("refused", "CERTIFICATE_VERIFY_FAILED")

# What gRPC says about a message that it does not take. The next attempt would bring it again.
_TOO_LARGE = "message larger than max"


def of_status(status: AioRpcError, endpoint: str) -> Error:
    """What the end of a call to `endpoint` means."""
    details = _details(status)
    info = details.get("ErrorInfo")
    if info is None or info.domain != _DOMAIN:
        return _not_ours(status, endpoint)
    kind = _KINDS.get(status.code(), Internal)
    error = kind(one_line(status.details() or ""), retryable=kind in (Unavailable, Exhausted))
    error.reason, error.metadata = info.reason, dict(info.metadata)
    if bad_request := details.get("BadRequest"):
        violations = bad_request.field_violations
        error.field_violations = [FieldViolation(v.field, v.description) for v in violations]
    if retry_info := details.get("RetryInfo"):
        error.retry_delay = _delay(retry_info.retry_delay)
    return error


def of_failure(failure: v1.Failure) -> Error:
    """Why one part of a call failed, as if it had been a call of its own."""
    kind = _KINDS_BY_NUMBER.get(failure.code, Internal)
    error = kind(one_line(failure.message), retryable=kind in (Unavailable, Exhausted))
    # A reason that this version does not know has no name here.
    with suppress(ValueError):
        error.reason = v1.ErrorReason.Name(failure.reason)
    error.metadata = dict(failure.metadata)
    violations = failure.field_violations
    error.field_violations = [FieldViolation(v.field, v.description) for v in violations]
    error.retry_delay = _delay(failure.retry_after)
    return error


def _delay(duration: Duration) -> float:
    """As many seconds, within what a server may ask for."""
    return min(max(0, duration.seconds), _RETRY_DELAY_MAX_S) + duration.nanos % 10**9 / 1e9


def _details(status: AioRpcError) -> dict[str, Any]:
    """The messages of `google.rpc` that came with it, by name."""
    details: dict[str, Any] = {}
    metadata = status.trailing_metadata() or ()
    for packed in (value for key, value in metadata if key == "grpc-status-details-bin"):
        assert isinstance(packed, bytes)
        # What cannot be read is not ours.
        with suppress(DecodeError):
            for detail in status_pb2.Status.FromString(packed).details:
                name = detail.TypeName().removeprefix("google.rpc.")
                if kind := getattr(error_details_pb2, name, None):
                    details[name] = kind.FromString(detail.value)
    return details


def _not_ours(status: AioRpcError, endpoint: str) -> Error:
    """An error that no hitl server made: the connection, a proxy, or some other server."""
    code, cause = status.code(), one_line(status.details() or "")
    if _TOO_LARGE in cause:
        return Internal(f"{endpoint} sent more than a message of the API may have: {cause}")
    if code in _LOST:
        error = Unavailable(
            f"cannot reach the hitl server at {endpoint}: {cause}. Check that it runs there, or "
            "set HITL_ENDPOINT to where it does",
            retryable=True,
        )
        error.is_hopeless = any(sign in cause for sign in _NOBODY)
        return error
    if code is StatusCode.UNIMPLEMENTED:
        message = f"{endpoint} is not a hitl server, or one too old for this call: {cause}"
        return Internal(message)
    return _KINDS.get(code, Internal)(f"{endpoint} refused the call: {cause}")


_ENDS: dict[int, tuple[type[Error], str]] = {
    v1.EVENT_STATE_DECLINED: (Declined, "declined"),
    v1.EVENT_STATE_CANCELLED: (Cancelled, "cancelled"),
    v1.EVENT_STATE_TIMED_OUT: (TimedOut, "not answered before its deadline"),
}


def of_end(event: v1.Event) -> Error:
    """What it means that an event ended without a value.

    Who ended it typed a name, if any: it is quoted, as given.
    """
    if event.state not in _ENDS:
        return Internal(f"the server sent no value with state {event.state}")
    kind, end = _ENDS[event.state]
    response = event.response
    message = f"{quoted(event.name)} was {end}"
    if response.responder.name:
        message += f" by {quoted(response.responder.name)}"
    if response.HasField("time"):
        # A time that no calendar has is not shown.
        with suppress(ValueError):
            message += f" ({response.time.ToJsonString()})"
    if response.reason:
        message += f": {response.reason}"
    error = kind(one_line(message))
    error._response = response
    return error
