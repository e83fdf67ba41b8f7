"""Prints what is waiting for an answer."""

import json

import hitl

client = hitl.Client()
page_token = ""
while True:
    page = client.list(state=hitl.v1.EVENT_STATE_PENDING, page_token=page_token)
    for event in page.events:
        print(f"{event.id}  {event.name}  {json.dumps(event.prompt, ensure_ascii=False)}")
    page_token = page.next_page_token
    if not page_token:
        break
