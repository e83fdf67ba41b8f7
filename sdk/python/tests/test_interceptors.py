"""What calls pass through."""

import pickle
from typing import Any

import grpc.aio

import hitl
from hitl.testing import TestServer


class Counting(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self) -> None:
        self.methods: list[str] = []

    async def intercept_unary_unary(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        method = client_call_details.method
        self.methods.append(method.decode() if isinstance(method, bytes) else method)
        return await continuation(client_call_details, request)


def test_calls_pass_through_what_the_program_gives() -> None:
    counting = Counting()
    with TestServer() as server:
        config = hitl.Config(endpoint=server.endpoint, interceptors=[counting])
        client = hitl.Client(config)
        client.list()
        assert counting.methods == ["/hitl.v1.EventService/ListEvents"]
        pickle.loads(pickle.dumps(client)).list()
        assert len(counting.methods) == 1, "they are the process's own"
        client.close()
