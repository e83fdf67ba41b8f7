/** Which proxies there are: the same in every language, as `sdk/endpoints.json` lists them. */

import { isLoopback, parseEndpoint } from "./endpoint.js";
import { HitlError, invalid } from "./error.js";

/** Signs of a user or a password as a URL has them. */
const PART = /^(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*$/;

/** What leads to servers by CONNECT. */
export class Proxy {
  readonly #authorization: string | undefined;

  /** `sparesLoopback` says whether it is not for servers of this machine. */
  constructor(readonly endpoint: string, user: string | undefined, readonly sparesLoopback: boolean) {
    this.#authorization = user === undefined ? undefined : `Basic ${Buffer.from(user).toString("base64")}`;
  }

  /** What `proxy-authorization` says, if anything. */
  get authorization(): string | undefined {
    return this.#authorization;
  }

  /** Whether it is gone through to get to a server. */
  isFor(server: string): boolean {
    return !(this.sparesLoopback && isLoopback(server));
  }
}

/** The one that code names, else the one of the environment, which may be meant for other servers than those of this machine. */
export function readProxy(code: string | undefined, environment: string | undefined): Proxy | undefined {
  const given = code || environment;
  if (!given) return undefined;
  const trimmed = given.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const [, scheme = "http", user, server = ""] = /^(?:(.*?):\/\/)?(?:(.*)@)?(.*)$/s.exec(trimmed) ?? [];
  // A second scheme would be that of the server.
  if (scheme.toLowerCase() !== "http" || server.includes("://")) throw unusable();
  return new Proxy(endpointOf(server), user === undefined ? undefined : credentials(user), !code);
}

function endpointOf(server: string): string {
  try {
    return parseEndpoint(server);
  } catch (error) {
    if (error instanceof HitlError) throw unusable();
    throw error;
  }
}

/** `USER:PASSWORD` without the escapes of a URL. */
function credentials(written: string): string {
  const [, userText = "", passwordText = ""] = /^([^:]*):?(.*)$/s.exec(written) ?? [];
  const user = decoded(userText);
  if (!user || user.includes(":")) throw unusable();
  return `${user}:${decoded(passwordText)}`;
}

/** What a part of a URL stands for: text without control characters. */
function decoded(part: string): string {
  if (!PART.test(part)) throw unusable();
  try {
    const text = decodeURIComponent(part);
    if (!/\p{Cc}/u.test(text)) return text;
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw unusable();
}

/** Nothing of what was given is shown, for any of it may be a password. */
const unusable = () => invalid(
  "proxy (HITL_PROXY) is not usable: give it as http://HOST:PORT or http://USER:PASSWORD@HOST:PORT, with signs such as @ in " +
    "USER and PASSWORD as %40",
);
