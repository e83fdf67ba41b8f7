"""Lets a program stop and ask a person, however long that takes and whatever crashes in between.

A program creates an event (a prompt, the type of answer it wants, a timeout), waits, and gets the
typed value:

    event = hitl.new_event("proceed", data_type=int, prompt="What should I add to x?", min=0)
    print(f"answer at {event.form_url}")
    x = 1 + event.wait()

Every call blocks, and has a form to await: `await hitl.new_event.aio(...)`.
"""

# gRPC is imported by `forks`, in its way, before anything else imports it.
from hitl import forks, v1  # noqa: F401, I001
from hitl import evidence
from hitl.ask import ask
from hitl.attach import Attach
from hitl.client import Client, default_client
from hitl.config import Config
from hitl.error import (
    Cancelled,
    Conflict,
    Declined,
    Denied,
    Error,
    Exhausted,
    FieldViolation,
    Internal,
    Invalid,
    NotFound,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from hitl.event import Details, Event, EventScope, Options, new_event
from hitl.link import Link
from hitl.messages import print_without_links
from hitl.pages import Events
from hitl.receipt import KeySet, Receipt, Statement
from hitl.review import CreateReview, Decision, Review
from hitl.run import Run
from hitl.valid import AskValid
from hitl.watch import Change, Watch

print_without_links()

attach = Attach(default_client)
ask_valid = AskValid(new_event)
review = CreateReview(new_event)


def run(run_id: str) -> Run:
    """A run of this id, for the client of the environment: `with hitl.run("job-9"): ...`."""
    return Run(default_client, run_id)


__all__ = [
    "Cancelled",
    "Change",
    "Client",
    "Config",
    "Conflict",
    "Decision",
    "Declined",
    "Denied",
    "Details",
    "Error",
    "Event",
    "EventScope",
    "Events",
    "Exhausted",
    "FieldViolation",
    "Internal",
    "Invalid",
    "KeySet",
    "Link",
    "NotFound",
    "Options",
    "Receipt",
    "Review",
    "Run",
    "Statement",
    "TimedOut",
    "Unauthenticated",
    "Unavailable",
    "Watch",
    "ask",
    "ask_valid",
    "attach",
    "evidence",
    "new_event",
    "review",
    "run",
    "v1",
]
