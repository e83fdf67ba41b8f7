"""A task that may be killed at any moment: start it again with the same run id and it goes on.

`python examples/wait.py nightly-42`
"""

import sys
from typing import Literal

import hitl

run_id = sys.argv[1] if len(sys.argv) > 1 else "example-run"
client = hitl.Client(hitl.Config(run_id=run_id))

# The second start meets this same event, and the answer if it was given meanwhile.
event = client.event(
    "target",
    Literal["staging", "production"],
    prompt="Where should this go?",
    options={"staging": "Staging", "production": "Production"},
)
verb = "asked before" if event.existed else "asked"
print(f"{verb}: answer at {event.form_url}", flush=True)

try:
    print(f"deploying to {event.wait()}")
except hitl.Declined as declined:
    print(f"not deploying: {declined}")
