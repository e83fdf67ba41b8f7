/** Serves the stream that all waits of a client share. */

import type { Connection } from "./connection.js";
import { fromFailure, HitlError, unavailable } from "./error.js";
import { isFinal } from "./messages.js";
import { Backoff, goesOn, sleep } from "./retry.js";
import { EventService, type WaitEventsResponse } from "./v1.js";
import type { Waits } from "./waits.js";

const { waitEvents } = EventService.method;

/** Serves the waits until there are none. */
export async function serve(connection: Connection, waits: Waits): Promise<void> {
  const backoff = new Backoff();
  while (!waits.stop()) {
    try {
      await attend(connection, waits, backoff);
    } catch (error) {
      // What is no error of ours is a fault, which nobody else would tell those who wait.
      const lost = error instanceof HitlError ? error : undefined;
      const delayMs = lost ? backoff.delayMs(lost) : 0;
      if (lost && waits.count > 0) {
        const again = `while ${waits.count} events are waited for, tries again in ${(delayMs / 1000).toFixed(1)} s`;
        connection.settings.log.warn(`lost the server at ${connection.name} ${again}: ${lost.message}`);
      }
      waits.giveUp(error as Error, (elapsedMs) => lost !== undefined && goesOn(connection, lost, elapsedMs + delayMs));
      // It is cut short when nothing is waited for any more.
      await sleep(delayMs, waits.signal).catch(() => undefined);
    }
  }
}

/** Follows one stream until nothing is waited for or it is lost. */
async function attend(connection: Connection, waits: Waits, backoff: Backoff): Promise<void> {
  const { signal } = waits;
  waits.begin();
  connection.settings.log.info(`waits for ${waits.count} events at ${connection.name}`);
  try {
    for await (const message of connection.exchange(waitEvents, (closing) => waits.messages(closing), signal)) {
      backoff.reset();
      hear(waits, message);
    }
    throw unavailable("the stream ended before the event");
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function hear(waits: Waits, { update }: WaitEventsResponse): void {
  if (update.case === "event" && isFinal(update.value)) waits.end(update.value);
  if (update.case !== "failed") return;
  const { key, failure } = update.value;
  if (key && failure) waits.failed(key.eventId, fromFailure(failure));
}
