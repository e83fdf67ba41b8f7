"""The time of a server for tests, which no other server lets anybody move."""

from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
from google.protobuf.duration_pb2 import Duration

from hitl.config import seconds
from hitl.connection import OPTIONS
from hitl.error import Invalid, Unavailable
from hitl.shown import one_line
from hitl.v1.test_service_pb2 import AdvanceTimeRequest
from hitl.v1.test_service_pb2_grpc import TestServiceStub

if TYPE_CHECKING:
    from hitl.v1.test_service_pb2_grpc import TestServiceStub as Stub

_LIMIT_S = 15.0


class ServerTime:
    """The time of the server at this endpoint. `Invalid` if that is no server for tests."""

    def __init__(self, endpoint: str) -> None:
        scheme, _, address = endpoint.partition("://")
        if scheme != "http":
            raise Invalid(_refusal(endpoint, "its address is not http://HOST:PORT"))
        self._endpoint = endpoint
        self._channel = grpc.insecure_channel(f"dns:///{address}", options=OPTIONS)
        self._stub: Stub = TestServiceStub(self._channel)
        try:
            self._stub.AdvanceTime(AdvanceTimeRequest(), timeout=_LIMIT_S)
        except grpc.RpcError as status:
            self._channel.close()
            why = status.details() if isinstance(status, grpc.Call) else str(status)
            raise Invalid(_refusal(endpoint, why or "it says so")) from None

    def advance(self, duration: float | timedelta) -> None:
        """Lets so many seconds pass at once."""
        passes = Duration()
        passes.FromTimedelta(timedelta(seconds=seconds(duration)))
        try:
            self._stub.AdvanceTime(AdvanceTimeRequest(duration=passes), timeout=_LIMIT_S)
        except grpc.RpcError as status:
            why = status.details() if isinstance(status, grpc.Call) else str(status)
            raise Unavailable(
                f"time did not pass at {self._endpoint}: {one_line(why or '')}"
            ) from None

    def close(self) -> None:
        """Ends its connection."""
        self._channel.close()


def _refusal(endpoint: str, why: str) -> str:
    return (
        f"{one_line(endpoint) or 'the local server'} is no server for tests ({one_line(why)}): "
        "nobody answers there but people. Start one with `hitl test-server`, or use TestServer"
    )
