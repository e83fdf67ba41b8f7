/**
 * Backoff with jitter, for calls that are safe to repeat. All of ours are: creates carry an idempotency key, answers
 * an answer id.
 */

import { setMaxListeners } from "node:events";
import timers from "node:timers/promises";
import { HitlError } from "./error.js";
import type { Logger } from "./log.js";

const FIRST_DELAY_MS = 100;
const DELAY_MAX_MS = 5_000;

/**
 * Delays that double from 100 ms to 5 s, each shortened at random by up to half, so that the clients of a server that
 * comes back do not all call it at once.
 */
export class Backoff {
  #nextMs = FIRST_DELAY_MS;

  /** The delay before the next attempt, and at least what the server asked for with `error`. */
  delayMs(error: HitlError): number {
    const delayMs = this.#nextMs * (1 - Math.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, DELAY_MAX_MS);
    return Math.max(delayMs, error.retryDelayMs);
  }

  reset(): void {
    this.#nextMs = FIRST_DELAY_MS;
  }
}

/** Whether the same call may succeed soon. */
export const isWorthRepeating = (error: unknown): error is HitlError =>
  error instanceof HitlError && error.retryable && !error.isHopeless;

/** Repeats `attempt` until it succeeds, fails for good, or another delay would pass the limit. */
export async function retry<R>(
  limitMs: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<R>,
  log?: Logger,
): Promise<R> {
  const begun = performance.now();
  const backoff = new Backoff();
  for (let next = 2; ; next += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWorthRepeating(error)) throw error;
      const delayMs = backoff.delayMs(error);
      if (performance.now() - begun + delayMs > limitMs) throw error;
      log?.warn(`calls again in ${(delayMs / 1000).toFixed(1)} s (attempt ${next}): ${error.message}`);
      await sleep(delayMs, signal);
    }
  }
}

/** What is known of the server that attempts are made at. */
interface Reach {
  readonly reached: boolean;
  readonly settings: { readonly retryForMs: number; readonly endpoints: readonly string[] };
}

/**
 * Whether what lasts for as long as the program wants it, such as a wait, survives `error`.
 *
 * Once the client has reached its server, no loss of it ends that: the program waits for a person, who may take longer
 * than any outage. Before that, a wrong address is the likelier cause.
 */
export function goesOn({ reached, settings }: Reach, error: HitlError, elapsedMs: number): boolean {
  // Where one is dead, another one may serve.
  const mayServe = !error.isHopeless || settings.endpoints.length > 1;
  if (error.retryable && mayServe && elapsedMs <= settings.retryForMs) return true;
  return reached && (error.retryable || error.kind === "Unavailable");
}

/** Attempts at what lasts for as long as the program wants it. */
export class Persistence {
  readonly #begun = performance.now();
  readonly #backoff = new Backoff();

  constructor(readonly connection: Reach, readonly signal: AbortSignal | undefined) {}

  /** Has the next delay be the shortest again. */
  progress(): void {
    this.#backoff.reset();
  }

  /** Lets the time until the next attempt pass; throws the error if there is to be none. */
  async pause(error: unknown): Promise<void> {
    if (!(error instanceof HitlError)) throw error;
    const delayMs = this.#backoff.delayMs(error);
    if (!goesOn(this.connection, error, performance.now() - this.#begun + delayMs)) throw error;
    await sleep(delayMs, this.signal);
  }
}

/**
 * Runs `attempt` until it ends, the caller's signal aborts, or the server is silent for too long, of which `silence`
 * makes an error. The signal that `attempt` gets is aborted in any case, so that nothing of it stays open.
 */
export async function within<R>(
  silenceMs: number,
  silence: () => HitlError,
  signal: AbortSignal | undefined,
  attempt: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  signal?.throwIfAborted();
  // Node would warn of a leak at the eleventh of the calls and waits that share a signal.
  if (signal) setMaxListeners(0, signal);
  const controller = new AbortController();
  const stop = () => { controller.abort(signal?.reason); };
  const timer = setTimeout(() => { controller.abort(silence()); }, silenceMs);
  signal?.addEventListener("abort", stop);
  try {
    const stopped = new Promise<never>((_, reject) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller chose the reason
      controller.signal.addEventListener("abort", () => { reject(controller.signal.reason); });
    });
    return await Promise.race([attempt(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    controller.abort();
  }
}

/** Waits, and throws the signal's reason if that aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await timers.setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
