/**
 * Waits that outlive connections.
 *
 * A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after any loss is to call
 * again, so there is nothing to remember but the event's id.
 */

import type { Connection } from "./connection.js";
import { HitlError, unavailable } from "./error.js";
import { discreet } from "./messages.js";
import { Backoff, sleep } from "./retry.js";
import { type Event, EventState } from "./v1.js";

/**
 * Waits until the event has ended, and returns it.
 *
 * Once the client has reached its server, no loss of it ends the wait: the program waits for a person, who may take
 * longer than any outage. Before that, a wrong address is the likelier cause.
 */
export async function wait(connection: Connection, eventId: string, signal?: AbortSignal): Promise<Event> {
  const begun = performance.now();
  const backoff = new Backoff();
  for (;;) {
    try {
      return await attend(connection, eventId, backoff, signal);
    } catch (error) {
      if (!(error instanceof HitlError)) throw error;
      const delayMs = backoff.delayMs(error);
      const lost = error.retryable || error.kind === "Unavailable";
      const inTime = error.retryable && performance.now() - begun + delayMs <= connection.settings.retryForMs;
      if (!lost || !(connection.reached || inTime)) throw error;
      await sleep(delayMs, signal);
    }
  }
}

/** Follows one stream until it brings the final event or is lost. */
async function attend(connection: Connection, eventId: string, backoff: Backoff, signal?: AbortSignal): Promise<Event> {
  const ended = await connection.watch(eventId, signal, ({ update }) => {
    backoff.reset();
    return update.case === "event" && isFinal(update.value) ? discreet(update.value) : undefined;
  });
  if (ended) return ended;
  throw unavailable("the stream ended before the event");
}

/** A state that this version does not know counts as pending. */
export function isFinal(event: Event): boolean {
  const { ANSWERED, DECLINED, CANCELLED, TIMED_OUT } = EventState;
  return [ANSWERED, DECLINED, CANCELLED, TIMED_OUT].includes(event.state);
}
