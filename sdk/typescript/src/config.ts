/**
 * Where the server is and on whose behalf to ask.
 *
 * What code sets wins over the environment, and the environment over the default. The environment is read once, when a
 * client is made.
 */

import { parseEndpoint } from "./endpoint.js";
import { invalid } from "./error.js";
import { Local } from "./local.js";
import { quoted } from "./shown.js";

const DEFAULT_RETRY_MS = 30_000;

/** How a client reaches its server. What is left out is taken from the environment. */
export interface Config {
  /**
   * The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either the local server is used,
   * and started when none runs.
   */
  readonly endpoint?: string | undefined;
  /** The namespace of every event. Else `HITL_NAMESPACE`, else `default`. */
  readonly namespace?: string | undefined;
  /**
   * Names this run of the program, so that it can crash and start again. Else `HITL_RUN_ID`; without either every
   * create makes another event.
   */
  readonly runId?: string | undefined;
  /**
   * The `hitl` program that finds or starts the local server. Else `HITL_BIN`, else `hitl` in `PATH`, of which directories
   * that are not absolute are left out.
   */
  readonly binary?: string | undefined;
  /**
   * How long a call is repeated while the server cannot be reached, in milliseconds: 30 s unless set; zero means one
   * attempt. A wait, once it has reached the server, goes on without limit.
   */
  readonly retryFor?: number | undefined;
}

/** A `Config` with nothing left open. */
export interface Settings {
  /** With no port if the server is the local one: it is known once that is found. */
  readonly endpoint: string;
  /** Present if the server is the local one, which this client may start. */
  readonly local: Local | undefined;
  readonly namespace: string;
  readonly runId: string | undefined;
  readonly retryForMs: number;
}

/** Fills what is not set. What is empty counts as unset. */
export function resolve(config: Config, env: NodeJS.ProcessEnv): Settings {
  const given = config.endpoint || env.HITL_ENDPOINT;
  return {
    endpoint: given ? parseEndpoint(text("endpoint", given)) : "http://127.0.0.1",
    local: given ? undefined : new Local(config.binary || env.HITL_BIN || "hitl"),
    namespace: text("namespace", config.namespace || env.HITL_NAMESPACE || "default"),
    runId: text("run id", config.runId || env.HITL_RUN_ID || "") || undefined,
    retryForMs: limit(config.retryFor ?? DEFAULT_RETRY_MS),
  };
}

/** Text that can be sent. */
function text(what: string, text: unknown): string {
  if (typeof text === "string" && !/\p{Surrogate}/u.test(text)) return text;
  throw invalid(`the ${what} is ${quoted(String(text))}: give text without halves of surrogate pairs`);
}

/** A limit that time can pass. */
function limit(retryFor: number): number {
  if (retryFor >= 0) return retryFor;
  throw invalid(`retryFor is ${retryFor}: give a number of milliseconds from 0`);
}
