"""Asks for a number and adds it to x."""

import hitl

event = hitl.new_event(
    "proceed", data_type=int, prompt="What should I add to x?", timeout_seconds=600, min=0
)
print(f"answer at {event.form_url}", flush=True)

x = 1 + event.wait()
print(f"x is now {x}")
