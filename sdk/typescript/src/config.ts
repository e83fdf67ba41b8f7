/**
 * Where the server is and on whose behalf to ask.
 *
 * What code sets wins over the environment, and the environment over the default. The environment is read once, when a
 * client is made.
 */

import { homedir } from "node:os";
import path from "node:path";
import { parseEndpoint, portNumber } from "./endpoint.js";
import { invalid } from "./error.js";
import { Launcher } from "./serve.js";
import { quoted } from "./shown.js";

/** The port of a server that was told no other: HITL on the keys of a telephone. */
const DEFAULT_PORT = "4485";
const DEFAULT_RETRY_MS = 30_000;

/** How a client reaches its server. What is left out is taken from the environment. */
export interface Config {
  /**
   * The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either a local server is used,
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
   * The `hitl` program with which to start a local server. Else `HITL_BIN`, else `hitl` in `PATH`, of which directories
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
  readonly endpoint: string;
  /** Present if the server is a local one that this client may start. */
  readonly launcher: Launcher | undefined;
  readonly namespace: string;
  readonly runId: string | undefined;
  readonly retryForMs: number;
}

/** Fills what is not set. What is empty counts as unset. */
export function resolve(config: Config, env: NodeJS.ProcessEnv): Settings {
  const given = config.endpoint || env.HITL_ENDPOINT;
  const launcher = given ? undefined : localServer(config, env);
  return {
    endpoint: launcher?.endpoint ?? parseEndpoint(text("endpoint", given ?? "")),
    launcher,
    namespace: text("namespace", config.namespace || env.HITL_NAMESPACE || "default"),
    runId: text("run id", config.runId || env.HITL_RUN_ID || "") || undefined,
    retryForMs: limit(config.retryFor ?? DEFAULT_RETRY_MS),
  };
}

function localServer(config: Config, env: NodeJS.ProcessEnv): Launcher {
  const given = env.HITL_PORT || DEFAULT_PORT;
  const port = portNumber(given);
  if (port === undefined) throw invalid(`HITL_PORT is ${quoted(given)}: set it to 1 to 65535`);
  return new Launcher(port, config.binary || env.HITL_BIN || "hitl", dataDir(env));
}

/** Where a local server keeps its data, and where its log goes. */
function dataDir(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HITL_DATA_DIR) return env.HITL_DATA_DIR;
  // Relative ones would be of wherever this program happens to run.
  const absolute = (dir: string | undefined) => (dir && path.isAbsolute(dir) ? dir : undefined);
  const shared = absolute(env.XDG_DATA_HOME);
  const home = absolute(env.HOME) ?? absolute(homedir());
  const share = shared ?? (home && path.join(home, ".local", "share"));
  return share && path.join(share, "hitl");
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
