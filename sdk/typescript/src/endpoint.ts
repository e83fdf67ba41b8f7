/** Which endpoints there are: the same in every language, as `sdk/endpoints.json` lists them. */

import { isIPv4, isIPv6 } from "node:net";
import { type HitlError, invalid } from "./error.js";
import { oneLine } from "./shown.js";

/** What an endpoint without a port means, as with every such URL. */
const PORTS: Partial<Record<string, string>> = { http: "80", https: "443" };
/** More servers than anybody would list. */
const ENDPOINTS_MAX = 16;
/** The longest name of DNS. */
const NAME_CHARS_MAX = 253;

/** Underscores are no part of names on the Internet, but of many within a network. */
const NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/;
/** What ends in a number is an address, as every resolver takes it. */
const ENDS_IN_NUMBER = /^(.*\.)?[0-9]+\.?$/;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s;

/** The endpoints of a list with commas, each once and all of one scheme. */
export function parseEndpoints(given: string): string[] {
  const listed = given.split(",");
  if (listed.length > ENDPOINTS_MAX) throw invalid(`these are ${listed.length} endpoints: give at most ${ENDPOINTS_MAX}`);
  const parsed = [...new Set(listed.map(parseEndpoint))];
  if (new Set(parsed.map((endpoint) => new URL(endpoint).protocol)).size > 1) {
    throw invalid("some of the endpoints are http and some https: give all as one of both");
  }
  return parsed;
}

/** The endpoint as `http://HOST:PORT` or `https://HOST:PORT`, in lower case. */
export function parseEndpoint(given: string): string {
  const trimmed = given.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const [, named = "http", rest = ""] = /^(?:(.*?):\/\/)?(.*)$/s.exec(trimmed) ?? [];
  const scheme = ascii(named);
  const usual = PORTS[scheme];
  const [authority = "", ...segments] = rest.split("/");
  const path = segments.join("/");
  const [, host = "", portText = usual ?? ""] = AUTHORITY.exec(ascii(authority)) ?? [];
  const port = portNumber(portText);
  if (usual === undefined || !isHost(host) || port === undefined || /[?#@\\]/.test(path)) throw unusable(given);
  const below = path.replace(/\/+$/, "");
  if (below) {
    throw unusable(given, `. It has the path "/${below}", and hitl serves nothing below a path: leave it out`);
  }
  const url = `${scheme}://${host}:${port}`;
  // Node takes no names that end in hexadecimal numbers, nor what only looks like an international name.
  if (!URL.canParse(url)) throw unusable(given);
  return url;
}

/** 1 to 65535, in digits and nothing else. */
function portNumber(text: string): number | undefined {
  const number = /^0*[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return number > 0 && number < 65536 ? number : undefined;
}

/** In lower case, if it is ASCII: lower-casing makes letters of it from others that only look like them. */
const ascii = (text: string) => (/^[ -~]*$/.test(text) ? text.toLowerCase() : "");

/** Whether a parsed endpoint is on this machine. */
export function isLoopback(endpoint: string): boolean {
  const host = new URL(endpoint).hostname;
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

function isHost(host: string): boolean {
  if (host.startsWith("[")) return !host.includes("%") && isIPv6(host.slice(1, -1));
  if (ENDS_IN_NUMBER.test(host)) return isIPv4(host);
  return host.length <= NAME_CHARS_MAX && NAME.test(host);
}

function unusable(given: string, more = ""): HitlError {
  // What stands before an @ may be a password.
  const shown = given.replace(/(^|\/\/)[^/]*@/, "$1…@");
  return invalid(oneLine(`the endpoint "${shown}" is not usable: give it as http://HOST:PORT or https://HOST:PORT${more}`));
}
