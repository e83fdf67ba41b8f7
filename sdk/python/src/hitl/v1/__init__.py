"""The messages of the `hitl.v1` API, for untyped use."""

from hitl.v1.deciding_pb2 import *
from hitl.v1.error_reason_pb2 import *
from hitl.v1.event_pb2 import *
from hitl.v1.event_service_pb2 import *
from hitl.v1.evidence_pb2 import *
from hitl.v1.failure_pb2 import *
from hitl.v1.input_pb2 import *
from hitl.v1.receipt_pb2 import *
from hitl.v1.value_pb2 import *
