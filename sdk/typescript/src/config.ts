/**
 * Where the server is and on whose behalf to ask.
 *
 * What code sets wins over the environment, and the environment over the default. The environment is read once, when a
 * client is made.
 */

import { homedir } from "node:os";
import path from "node:path";
import { invalid } from "./error.js";
import { Launcher } from "./serve.js";

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
  /** The `hitl` program with which to start a local server. Else `HITL_BIN`, else `hitl` in `PATH`. */
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
    endpoint: launcher?.endpoint ?? checked(given ?? ""),
    launcher,
    namespace: config.namespace || env.HITL_NAMESPACE || "default",
    runId: config.runId || env.HITL_RUN_ID || undefined,
    retryForMs: config.retryFor ?? DEFAULT_RETRY_MS,
  };
}

function localServer(config: Config, env: NodeJS.ProcessEnv): Launcher {
  const port = env.HITL_PORT || DEFAULT_PORT;
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw invalid(`HITL_PORT is ${JSON.stringify(port)}: set it to 1 to 65535`);
  }
  return new Launcher(Number(port), config.binary || env.HITL_BIN || "hitl", dataDir(env));
}

/** Where a local server keeps its data, and where its log goes. */
function dataDir(env: NodeJS.ProcessEnv): string {
  if (env.HITL_DATA_DIR) return env.HITL_DATA_DIR;
  const shared = env.XDG_DATA_HOME && path.isAbsolute(env.XDG_DATA_HOME) ? env.XDG_DATA_HOME : undefined;
  return path.join(shared ?? path.join(env.HOME || homedir(), ".local", "share"), "hitl");
}

/** The endpoint as a URL without a slash at its end. */
function checked(endpoint: string): string {
  const url = (endpoint.includes("://") ? endpoint : `http://${endpoint}`).replace(/\/+$/, "");
  if (!URL.canParse(url) || new URL(url).protocol !== "http:") {
    throw invalid(`the endpoint ${JSON.stringify(endpoint)} is not usable: give it as http://HOST:PORT, without TLS`);
  }
  return url;
}
