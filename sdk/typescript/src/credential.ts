/** Who calls, and whom to trust: tokens and certificates. None of it is ever shown: what is printed ends up in logs. */

import { readFileSync } from "node:fs";
import { isLoopback } from "./endpoint.js";
import { HitlError, invalid, unavailable } from "./error.js";
import { oneLine, quoted } from "./shown.js";

/** A token, or what returns one for each new call. */
export type Token = string | (() => string | Promise<string>);

/** The path of a PEM file, or what would be in it. */
export type Pem = string | Uint8Array;

const HEADER_CHARS = /^[!-~]{0,4096}$/;
/** As long as an attempt of a call may take. */
const TOKEN_LIMIT_MS = 15_000;

/** A token that a header can have. */
export function checked(token: unknown): string {
  if (typeof token !== "string") throw invalid(`the token is of type ${typeof token}: give text`);
  const trimmed = token.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (HEADER_CHARS.test(trimmed)) return trimmed;
  throw invalid("the token has characters that a header cannot have, or more than 4,096");
}

/** What a call needs to say who makes it. Its token is in nothing that is printed of it. */
export class Credential {
  readonly #token: Token;

  constructor(token: Token) {
    this.#token = typeof token === "string" ? checked(token) : token;
  }

  /** Whether there is one, which a function may still leave empty. */
  get isGiven(): boolean {
    return this.#token !== "";
  }

  /** Whether another token may come another time. */
  get changes(): boolean {
    return typeof this.#token === "function";
  }

  /** The token to call with now. */
  async current(): Promise<string> {
    if (typeof this.#token === "string") return this.#token;
    return checked(await given(this.#token));
  }
}

async function given(token: () => string | Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      const why = `the function has not returned within ${TOKEN_LIMIT_MS / 1000} s`;
      timer = setTimeout(() => { reject(new Error(why)); }, TOKEN_LIMIT_MS);
    });
    return await Promise.race([token(), late]);
  } catch (cause) {
    if (cause instanceof HitlError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw unavailable(oneLine(`the token cannot be had: ${why}`), cause);
  } finally {
    clearTimeout(timer);
  }
}

/** Refuses to send a token where others may read it. */
export function ensurePrivate(endpoint: string, insecure: boolean): void {
  if (insecure || endpoint.startsWith("https:") || isLoopback(endpoint)) return;
  const help = "use https, or set HITL_INSECURE_TRANSPORT=1 if the way there is safe";
  throw invalid(`a token is not sent over plain http to ${endpoint}: ${help}`);
}

/** What is in the PEM files of a connection with TLS. */
export interface Tls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Reads what is given, else what the environment names, if the endpoint has use for it. */
export function readTls(
  given: { readonly ca?: Pem | undefined; readonly cert?: Pem | undefined; readonly key?: Pem | undefined },
  endpoint: string,
  env: NodeJS.ProcessEnv,
): Tls {
  const { ca, cert, key } = given;
  if (!endpoint.startsWith("https:")) {
    const named = Object.entries({ ca, cert, key }).filter(([, pem]) => pem).map(([name]) => name);
    if (named.length === 0) return {};
    const where = endpoint || "the local server";
    throw invalid(`${named.join(", ")}: give an https endpoint, for ${where} has no TLS`);
  }
  const files = [["ca", ca || env.HITL_CA], ["cert", cert || env.HITL_CERT], ["key", key || env.HITL_KEY]] as const;
  const tls: Tls = Object.fromEntries(files.flatMap(([name, pem]) => (pem ? [[name, read(name, pem)]] : [])));
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalid("a client certificate is given by both cert and key");
  }
  // Whoever prints the settings of a client must not print its key.
  for (const name of ["ca", "cert", "key"]) {
    if (name in tls) Object.defineProperty(tls, name, { enumerable: false });
  }
  return tls;
}

function read(name: string, pem: Pem): Buffer {
  if (typeof pem !== "string") return Buffer.from(pem);
  try {
    return readFileSync(pem);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(oneLine(`${name}: the file ${quoted(pem)} cannot be read: ${why}`));
  }
}
