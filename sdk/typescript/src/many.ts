/** Many entries in few calls: each has a result of its own, and what can pass is sent again. */

import { type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { message } from "./connection.js";
import { fromFailure, HitlError, internal } from "./error.js";
import { Backoff, isWorthRepeating, sleep } from "./retry.js";
import type { Failure } from "./v1.js";

/** Most entries of one call. */
const ENTRIES_MAX = 1_000;
/** Most bytes of the entries of one call, though one alone may have more. */
const BATCH_BYTES_MAX = 1 << 20;

/** What is to be sent, with its place among all. */
interface Entry<Q> {
  readonly place: number;
  readonly request: Q;
  readonly bytes: number;
}

/**
 * Sends messages in batches, each again for as long as that can help, and resolves to what became of each, in their order.
 * `send` makes one call.
 */
export async function sendMany<D extends DescMessage, R>(
  schema: D,
  inits: readonly MessageInitShape<D>[],
  limitMs: number,
  signal: AbortSignal | undefined,
  send: (requests: MessageShape<D>[]) => Promise<(R | HitlError)[]>,
): Promise<(R | HitlError)[]> {
  const results = new Array<R | HitlError>(inits.length);
  let waiting = sendable(schema, inits, results);
  let backoff = new Backoff();
  let begun = performance.now();
  while (waiting.length > 0) {
    const batch = waiting.splice(0, batchLength(waiting));
    const replies = await repliesOf(batch.map(({ request }) => request), send);
    const failures: HitlError[] = [];
    const again = batch.filter(({ place }, at) => {
      const reply = (results[place] = replies[at] ?? noResult());
      return isWorthRepeating(reply) && failures.push(reply);
    });
    const isProgress = again.length < batch.length;
    if (isProgress) {
      backoff = new Backoff();
      begun = performance.now();
    }
    const [first, ...others] = failures;
    if (!first) continue;
    const slowest = others.reduce((slow, error) => (error.retryDelayMs > slow.retryDelayMs ? error : slow), first);
    if (isProgress && slowest.retryDelayMs === 0) {
      // The reply was full.
      waiting.push(...again);
      continue;
    }
    const delayMs = backoff.delayMs(slowest);
    if (performance.now() - begun + delayMs <= limitMs) {
      await sleep(delayMs, signal);
      waiting.unshift(...again);
    } else if (!isProgress) {
      // For the whole time nothing has passed, and the rest would meet the same.
      for (const { place } of waiting) results[place] ??= slowest;
      waiting = [];
    }
  }
  return results;
}

/** Those of the messages that can be sent. What cannot has its result at once. */
function sendable<D extends DescMessage>(
  schema: D,
  inits: readonly MessageInitShape<D>[],
  results: unknown[],
): Entry<MessageShape<D>>[] {
  const entries: Entry<MessageShape<D>>[] = [];
  inits.forEach((init, place) => {
    try {
      const request = message(schema, init);
      entries.push({ place, request, bytes: toBinary(schema, request).length });
    } catch (error) {
      results[place] = error;
    }
  });
  return entries;
}

/** How many go into one call. */
function batchLength(entries: Entry<unknown>[]): number {
  let bytes = 0;
  const end = entries.findIndex((entry, at) => at === ENTRIES_MAX || ((bytes += entry.bytes) > BATCH_BYTES_MAX && at > 0));
  return end < 0 ? entries.length : end;
}

/** The results of one call; if it failed, its error for each. */
async function repliesOf<Q, R>(
  requests: Q[],
  send: (requests: Q[]) => Promise<(R | HitlError)[]>,
): Promise<(R | HitlError)[]> {
  try {
    const replies = await send(requests);
    if (replies.length === requests.length) return replies;
    throw internal(`the server sent ${replies.length} results for ${requests.length} entries`);
  } catch (error) {
    if (!(error instanceof HitlError)) throw error;
    return requests.map(() => error);
  }
}

/** The result of an entry that has not succeeded. */
export const failed = (failure: Failure | undefined): HitlError => (failure ? fromFailure(failure) : noResult());

const noResult = () => internal("the server's reply has no result");
