"""Imports gRPC so that processes forked while a wait is open live.

gRPC's handlers restart its threads in every forked process. There they share connections with the
parent and crash, even if the process never calls us. gRPC reads when it is imported whether it is
to have them; they are for programs that ask for them.
"""

import os
import sys
import warnings

_SWITCH = "GRPC_ENABLE_FORK_SUPPORT"
_OFF = {"0", "false", "no", "n", "f"}


def _has_handlers() -> bool:
    """Imports gRPC, and tells whether forked processes may crash."""
    imported_before = "grpc" in sys.modules
    if given := os.environ.get(_SWITCH):
        import grpc

        return given.lower() not in _OFF
    os.environ[_SWITCH] = "0"
    try:
        import grpc  # noqa: F401
    finally:
        # Programs that this one starts are not ours.
        del os.environ[_SWITCH]
    return imported_before


HAS_HANDLERS = _has_handlers()


def warn() -> None:
    """Says that the process about to be forked may crash, if so."""
    if HAS_HANDLERS:
        warnings.warn(
            "this process is forked while gRPC has connections and its fork handlers are on, so "
            f"the child may crash: import hitl before grpc and leave {_SWITCH} unset, or set it to "
            "0, or start processes by `spawn`",
            RuntimeWarning,
            stacklevel=3,
        )
