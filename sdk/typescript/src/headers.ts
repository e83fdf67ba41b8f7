/** Headers that go with every call, such as what a proxy on the way asks for. */

import { invalid } from "./error.js";
import { quoted } from "./shown.js";

const HEADERS_MAX = 32;

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
/** Those of HTTP/2 and gRPC are made by them, and who calls is said by `token`. */
const TAKEN = new RegExp(
  "^(?:authorization|connection|content-.*|grpc-.*|host|te|trailer|transfer-encoding|upgrade|user-agent|.*-bin)$",
);
const VALUE = /^[ -~]{0,4096}$/;

/** The headers with their names in lower case, if there can be such. */
export function checkedHeaders(headers: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const given = Object.entries(headers);
  if (given.length > HEADERS_MAX) throw invalid(`these are ${given.length} headers: give at most ${HEADERS_MAX}`);
  return new Map(given.map(([name, value]) => [checkedName(name), checkedValue(name, value)]));
}

function checkedName(name: string): string {
  // To lower the case of other letters may make one of ours of them.
  const lower = /^[ -~]*$/.test(name) ? name.toLowerCase() : "";
  if (NAME.test(lower) && !TAKEN.test(lower)) return lower;
  throw invalid(
    `no header can be called ${quoted(name)}: give a name of letters, digits, -, _ and . that is not one of HTTP or gRPC, ` +
      "and the token by `token`",
  );
}

function checkedValue(name: string, value: unknown): string {
  if (typeof value === "string" && VALUE.test(value)) return value;
  throw invalid(`the header ${quoted(name)} has characters that a header cannot have, or more than 4,096`);
}
