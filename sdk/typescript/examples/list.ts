/** Prints what is waiting for an answer. */

import { Client, v1 } from "hitl-sdk";

const client = new Client();
let pageToken = "";
do {
  const page = await client.list({ state: v1.EventState.PENDING, pageToken });
  for (const event of page.events) {
    console.log(`${event.id}  ${event.name}  ${JSON.stringify(event.prompt)}`);
  }
  pageToken = page.nextPageToken;
} while (pageToken !== "");
