/**
 * Watches that outlive connections.
 *
 * A watch is one server stream: bookmarks, and what changes. To resume after any loss is to call again with the last
 * bookmark, from which on every change is sent again.
 */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Connection } from "./connection.js";
import { internal, unavailable } from "./error.js";
import { discreet } from "./messages.js";
import { Persistence } from "./retry.js";
import * as v1 from "./v1.js";

const { watchEvents } = v1.EventService.method;

export type WatchInit = MessageInitShape<typeof v1.WatchEventsRequestSchema>;

/** What has happened to an event. */
export interface Change {
  /** Whether it was created or has ended. Treat other kinds as an update. */
  readonly kind: v1.ChangeKind;
  /** The event as it stands, which may be later than the change. */
  readonly event: v1.Event;
  /** Where to resume: a watch with this token misses nothing from this change on. It is good for 24 hours. */
  readonly resumeToken: string;
}

/** Yields what changes, until the iteration ends. */
export async function* watch(
  connection: Connection,
  init: WatchInit,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change, void, undefined> {
  const persistence = new Persistence(connection, signal);
  let resumeToken = init.resumeToken ?? "";
  for (;;) {
    try {
      for await (const { update } of connection.stream(watchEvents, { ...init, resumeToken }, signal)) {
        persistence.progress();
        if (update.case === "bookmark") resumeToken = update.value.resumeToken;
        if (update.case === "change") yield changeOf(update.value, resumeToken);
      }
      throw unavailable("the stream of changes ended");
    } catch (error) {
      await persistence.pause(error);
    }
  }
}

function changeOf({ kind, event }: v1.Change, resumeToken: string): Change {
  if (!event) throw internal("the server sent a change without its event");
  return { kind, event: discreet(event), resumeToken };
}
