/**
 * Waits that outlive connections.
 *
 * A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after any loss is to call
 * again, so there is nothing to remember but the event's id.
 */

import type { Connection } from "./connection.js";
import { unavailable } from "./error.js";
import { discreet } from "./messages.js";
import { Persistence } from "./retry.js";
import { type Event, EventService, EventState } from "./v1.js";

const { waitEvent } = EventService.method;

/** Waits until the event has ended, and returns it. */
export async function wait(connection: Connection, eventId: string, signal?: AbortSignal): Promise<Event> {
  const persistence = new Persistence(connection, signal);
  for (;;) {
    try {
      return await attend(connection, eventId, persistence);
    } catch (error) {
      await persistence.pause(error);
    }
  }
}

/** Follows one stream until it brings the final event or is lost. */
async function attend(connection: Connection, eventId: string, persistence: Persistence): Promise<Event> {
  for await (const { update } of connection.stream(waitEvent, { eventId }, persistence.signal)) {
    persistence.progress();
    if (update.case === "event" && isFinal(update.value)) return discreet(update.value);
  }
  throw unavailable("the stream ended before the event");
}

/** A state that this version does not know counts as pending. */
export function isFinal(event: Event): boolean {
  const { ANSWERED, DECLINED, CANCELLED, TIMED_OUT } = EventState;
  return [ANSWERED, DECLINED, CANCELLED, TIMED_OUT].includes(event.state);
}
