/**
 * Where the server is and on whose behalf to ask.
 *
 * What code sets wins over the environment, and the environment over the default. The environment is read once, when a
 * client is made.
 */

import type { Interceptor } from "@connectrpc/connect";
import { checked, Credential, ensurePrivate, type Pem, readTls, type Tls, type Token } from "./credential.js";
import { parseEndpoints } from "./endpoint.js";
import { invalid } from "./error.js";
import { checkedHeaders } from "./headers.js";
import { Local } from "./local.js";
import { type Logger, printing } from "./log.js";
import { type Proxy, readProxy } from "./proxy.js";
import { quoted } from "./shown.js";

const DEFAULT_RETRY_MS = 30_000;

/** How a client reaches its server. What is left out is taken from the environment. */
export interface Config {
  /**
   * The server's address, such as `http://127.0.0.1:4485`. Else `HITL_ENDPOINT`; without either the local server is used,
   * and started when none runs. Of several, with commas between, the first is called, and each next one when the one before
   * does not serve.
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
   * The `hitl` program that finds or starts the local server. Else `HITL_BIN`, else the one that was installed with this
   * package, else `hitl` in `PATH`, of which directories that are not absolute are left out.
   */
  readonly binary?: string | undefined;
  /**
   * How long a call is repeated while the server cannot be reached, in milliseconds; zero means one attempt. A wait,
   * once it has reached the server, goes on without limit. Unless set 30 s, but a server that was never reached and
   * whose machine refuses the connection is not called again.
   */
  readonly retryFor?: number | undefined;
  /**
   * How long a call may take with all of its attempts, in milliseconds; unless set, as long as those take. Waits and watches
   * are not bound by it. `Client.withCallTimeout` sets it for some calls.
   */
  readonly callTimeout?: number | undefined;
  /**
   * Says who calls: text, or a function that returns it, called for each new call. Else `HITL_TOKEN`. The local server's
   * own is known without.
   */
  readonly token?: Token | undefined;
  /**
   * Headers that go with every call, such as what a proxy on the way asks for: at most 32. They go over plain http too, unlike
   * the token.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The proxy that leads to the server by CONNECT, as `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`, which is never
   * printed. Else `HITL_PROXY`, but not to a server of this machine; no other variable names one. TLS is spoken with the
   * server, so that the proxy reads nothing of it. The local server is reached without.
   */
  readonly proxy?: string | undefined;
  /**
   * Whose certificates servers have, as the path of a PEM file or its bytes, if that is none of those that node trusts.
   * Else `HITL_CA`, a path.
   */
  readonly ca?: Pem | undefined;
  /** The certificate of this client, where the server asks for one. Else `HITL_CERT`. */
  readonly cert?: Pem | undefined;
  /** The private key of that. Else `HITL_KEY`. */
  readonly key?: Pem | undefined;
  /** Sends the token even over plain http to another machine. Else `HITL_INSECURE_TRANSPORT=1`. */
  readonly insecure?: boolean | undefined;
  /** What each call passes through, such as one that traces and counts calls. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /**
   * Whether waits tell on stderr where to answer, if the program has not looked at the link itself. Else `HITL_ANNOUNCE`,
   * of which `0` is no; else they do.
   */
  readonly announce?: boolean | undefined;
  /** Is told what the client does, without links and tokens. Else `HITL_LOG` says what is printed: `info`, `warn`. */
  readonly log?: Logger | undefined;
}

/** How long a call may take. */
export interface Limits {
  readonly retryForMs: number;
  /** Whether the program has said how long calls are repeated. */
  readonly isPatient: boolean;
  /** With all of its attempts. */
  readonly callTimeoutMs: number;
}

/** A `Config` with nothing left open. */
export interface Settings extends Limits {
  /** At least one, each as good as the others. With no port if the server is the local one: it is known once that is found. */
  readonly endpoints: readonly string[];
  /** Present if the server is the local one, which this client may start. */
  readonly local: Local | undefined;
  readonly namespace: string;
  readonly runId: string | undefined;
  readonly credential: Credential;
  readonly headers: ReadonlyMap<string, string>;
  readonly interceptors: readonly Interceptor[];
  readonly tls: Tls;
  readonly proxy: Proxy | undefined;
  readonly announce: boolean;
  readonly log: Logger;
}

/** Fills what is not set. What is empty counts as unset. */
export function resolve(config: Config, env: NodeJS.ProcessEnv): Settings {
  const given = config.endpoint || env.HITL_ENDPOINT;
  const endpoints = given ? parseEndpoints(sendable("endpoint", given)) : [];
  const token = config.token || (given && env.HITL_TOKEN) || "";
  const isGiven = typeof token === "function" || checked(token) !== "";
  const insecure = config.insecure ?? isOn(env.HITL_INSECURE_TRANSPORT);
  if (isGiven) for (const endpoint of endpoints) ensurePrivate(endpoint, insecure);
  return {
    endpoints: given ? endpoints : ["http://127.0.0.1"],
    local: given ? undefined : new Local(config.binary || env.HITL_BIN || "hitl"),
    namespace: sendable("namespace", config.namespace || env.HITL_NAMESPACE || "default"),
    runId: sendable("run id", config.runId || env.HITL_RUN_ID || "") || undefined,
    retryForMs: retryLimit(config.retryFor ?? DEFAULT_RETRY_MS),
    isPatient: config.retryFor !== undefined,
    callTimeoutMs: config.callTimeout === undefined ? Infinity : callLimit(config.callTimeout),
    credential: new Credential(token),
    headers: checkedHeaders(config.headers ?? {}),
    interceptors: config.interceptors ?? [],
    // They are alike in that.
    tls: readTls(config, endpoints[0] ?? "", env),
    proxy: readProxy(config.proxy, env.HITL_PROXY),
    announce: config.announce ?? !["0", "false", "off"].includes(env.HITL_ANNOUNCE?.toLowerCase() ?? ""),
    log: config.log ?? printing(env.HITL_LOG),
  };
}

const isOn = (text: string | undefined) => ["1", "true"].includes(text?.toLowerCase() ?? "");

/** Text that can be sent. @internal */
export function sendable(what: string, text: unknown): string {
  if (typeof text === "string" && !/\p{Surrogate}/u.test(text)) return text;
  throw invalid(`the ${what} is ${quoted(String(text))}: give text without halves of surrogate pairs`);
}

/** A limit that time can pass. @internal */
export function retryLimit(retryFor: number): number {
  if (retryFor >= 0) return retryFor;
  throw invalid(`retryFor is ${retryFor}: give a number of milliseconds from 0`);
}

/** A time in which a call can be made. @internal */
export function callLimit(callTimeout: number): number {
  if (callTimeout > 0) return callTimeout;
  throw invalid(`callTimeout is ${callTimeout}: give a number of milliseconds above 0`);
}
