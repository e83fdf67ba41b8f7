/** Lists that page by themselves. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Limits } from "./config.js";
import type { Connection } from "./connection.js";
import { internal } from "./error.js";
import { discreet } from "./messages.js";
import * as v1 from "./v1.js";

export type ListInit = MessageInitShape<typeof v1.ListEventsRequestSchema>;

/** Yields every event that matches, at most so many. A page is fetched when the iteration comes to it, and one is held. */
export async function* events(
  connection: Connection,
  init: ListInit,
  limit: number,
  signal: AbortSignal | undefined,
  limits: Limits,
): AsyncGenerator<v1.Event, void, undefined> {
  let left = limit || Infinity;
  let pageToken = init.pageToken ?? "";
  for (;;) {
    const page = await connection.call(v1.EventService.method.listEvents, { ...init, pageToken }, signal, limits);
    for (const event of page.events) {
      yield discreet(event);
      left -= 1;
      if (left <= 0) return;
    }
    if (!page.nextPageToken) return;
    if (page.nextPageToken === pageToken) throw internal("the server sent the token of the same page again");
    pageToken = page.nextPageToken;
  }
}
