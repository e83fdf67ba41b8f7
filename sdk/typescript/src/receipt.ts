/**
 * Receipts: proof of how an event ended, which is verified without the server.
 *
 * Nothing here is of node: signatures are checked by Web Crypto, which node has from 20 on, and browsers with Ed25519 (Chrome
 * 137, Firefox 129, Safari 17) too. A page imports `hitl-sdk/receipt`, which brings along no gRPC.
 *
 * @module
 */

import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { HitlError, invalid } from "./error.js";
import { quoted } from "./shown.js";
import type * as v1 from "./v1.js";

const ALGORITHM = "Ed25519";
/** Before the hash of what is signed: says what it is, and ends where no other use of the key does. */
const DOMAIN = new TextEncoder().encode("hitl receipt v1\0");
const FORMATS: readonly unknown[] = ["hitl.receipt.v1", "hitl.receipt.v2", "hitl.receipt.v3"];
/** More than any deployment has: a new one each day for a year and more. */
const KEYS_MAX = 500;
const KEY_BYTES = 32;

type Bytes = Uint8Array<ArrayBuffer>;

/** What a receipt says that was verified. */
export class Statement {
  /** @internal */
  constructor(
    /** All of it: `question` and `response`, as the JSON of the API has them. */
    readonly json: Readonly<Record<string, unknown>>,
  ) {}

  /** The id of the event. That it is the one that you mean is for you to compare. */
  get eventId(): string {
    return this.#text("question", "id");
  }

  /** The namespace of the event. */
  get namespace(): string {
    return this.#text("question", "namespace");
  }

  /** How the event ended, such as `EVENT_STATE_ANSWERED`. */
  get state(): string {
    return this.#text("response", "state");
  }

  /** When the event ended, in RFC 3339. */
  get time(): string {
    return this.#text("response", "time");
  }

  #text(part: string, member: string): string {
    const text = membersOf(this.json[part])[member];
    return typeof text === "string" ? text : "";
  }
}

/** The public keys that verify receipts, by their names. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, Bytes>;

  /** @internal */
  constructor(keys: ReadonlyMap<string, Bytes>) {
    if (keys.size > KEYS_MAX) throw invalid(`there are more than ${KEYS_MAX} keys`);
    this.#keys = keys;
  }

  /** The keys of these bytes. @internal */
  static async of(keys: readonly Uint8Array[]): Promise<KeySet> {
    const named = keys.map(async (key): Promise<[string, Bytes]> => {
      const copy = Uint8Array.from(key);
      const name = await nameOf(copy);
      if (key.length !== KEY_BYTES) throw invalid(`the key ${name} is damaged: a key has ${KEY_BYTES} bytes`);
      return [name, copy];
    });
    return new KeySet(new Map(await Promise.all(named)));
  }

  /**
   * The keys in a JWK set, as `toJSON` makes one and `hitl receipt-key list` prints it, parsed or as text. Keys of other
   * kinds are passed over. Rejects with kind `Invalid` if it is none, or a key is not what its name says.
   */
  static async fromJson(json: unknown): Promise<KeySet> {
    const { keys } = parsed(json) ?? {};
    if (!Array.isArray(keys)) {
      throw invalid("these are no public keys of receipts: a JWK set is wanted, as `hitl receipt-key list` prints it");
    }
    const jwks = keys.map(membersOf).filter(({ kty, crv }) => kty === "OKP" && crv === ALGORITHM);
    return KeySet.of(await Promise.all(jwks.map(keyOf)));
  }

  /** The keys as a JWK set (RFC 7517), to be kept. */
  toJSON(): { keys: Record<string, string>[] } {
    const jwk = ([kid, key]: [string, Bytes]) => ({ ...required(key), kid, alg: "EdDSA", use: "sig" });
    return { keys: [...this.#keys].map(jwk) };
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** The key of this name. @internal */
  get(name: string): Bytes | undefined {
    return this.#keys.get(name);
  }
}

/** How an event ended, signed by the server that recorded it. */
export class Receipt {
  /** @internal */
  constructor(
    /** What is signed, in canonical JSON (RFC 8785). */
    readonly text: string,
    /** How it is signed: `Ed25519`. */
    readonly algorithm: string,
    /** The name of the key that verifies it. */
    readonly keyId: string,
    /** The signature, 64 bytes. */
    readonly signature: Uint8Array,
  ) {}

  /** The receipt in a message of the API. @internal */
  static of({ text, algorithm, keyId, signature }: v1.Receipt): Receipt {
    return new Receipt(text, algorithm, keyId, signature);
  }

  /**
   * The receipt in JSON, parsed or as text: as `toJSON` makes it, or as `GET /v1/events/{id}/receipt` answers. Throws kind
   * `Invalid` if it is none.
   */
  static fromJson(json: unknown): Receipt {
    const outer = parsed(json) ?? {};
    const { text, algorithm, keyId, signature } = "receipt" in outer ? membersOf(outer.receipt) : outer;
    const members = [text, algorithm, keyId, signature];
    const bytes = typeof signature === "string" ? decoded(signature) : undefined;
    if (bytes === undefined || !members.every((member) => typeof member === "string")) {
      throw invalid("this is no receipt, or not a whole one: it has text, algorithm, keyId and a signature in base64");
    }
    return new Receipt(String(text), String(algorithm), String(keyId), bytes);
  }

  /** The receipt as JSON, to be kept. */
  toJSON(): { text: string; algorithm: string; keyId: string; signature: string } {
    const { text, algorithm, keyId, signature } = this;
    return { text, algorithm, keyId, signature: base64Encode(signature) };
  }

  /**
   * What the receipt says, if one of the keys has signed it; else it rejects with kind `Invalid`, and the receipt proves
   * nothing. Calls no server. `docs/receipts.md` says what a receipt does not prove.
   */
  async verify(keys: KeySet): Promise<Statement> {
    if (this.algorithm !== ALGORITHM) {
      throw invalid(`it is signed with ${quoted(this.algorithm)}, and this program knows only ${ALGORITHM}`);
    }
    const key = keys.get(this.keyId);
    if (key === undefined) {
      throw invalid(
        `it is signed with the key ${quoted(this.keyId)}, which is not among the ${keys.size} keys that were given: ` +
          "fetch the keys of the deployment that it is from, or it is forged",
      );
    }
    const message = new Uint8Array([...DOMAIN, ...(await sha256(this.text))]);
    // Half of a surrogate pair would be hashed as another character.
    const isText = !/\p{Surrogate}/u.test(this.text);
    if (!isText || !(await hasSigned(key, message, Uint8Array.from(this.signature)))) {
      throw invalid("the signature does not fit: the text, the signature or the name of the key was changed");
    }
    return statement(this.text);
  }
}

function statement(text: string): Statement {
  const said = parsed(text);
  const { format } = said ?? {};
  if (said && FORMATS.includes(format)) return new Statement(said);
  const why = said ? `its format is ${quoted(String(format))}` : "it is no JSON object";
  throw invalid(`its signature is right, and this program does not understand what it says (${why}): use a newer one`);
}

async function hasSigned(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key, ALGORITHM, false, ["verify"]).catch((cause: unknown) => {
    throw new HitlError("Internal", `Ed25519 cannot be had here: ${String(cause)}`);
  });
  return crypto.subtle.verify(ALGORITHM, imported, signature, message);
}

/** The key in a JWK. */
async function keyOf({ kid, x }: Record<string, unknown>): Promise<Bytes> {
  const named = typeof kid === "string" ? kid : "";
  const key = typeof x === "string" ? decoded(x) : undefined;
  if (key?.length !== KEY_BYTES) {
    throw invalid(`the key ${quoted(named)} is damaged: it must be ${KEY_BYTES} bytes in base64url`);
  }
  const found = await nameOf(key);
  // A name is made of its key, so that nobody can put another key under it.
  if (named && named !== found) {
    throw invalid(`the key that is called ${quoted(named)} is another one, ${found}: somebody has changed it`);
  }
  return key;
}

/** The members of a JWK that its thumbprint (RFC 7638) is made of, in their order. */
const required = (key: Bytes) => ({ crv: ALGORITHM, kty: "OKP", x: base64Encode(key, "url") });

const nameOf = async (key: Bytes) => base64Encode(await sha256(JSON.stringify(required(key))), "url");

const sha256 = async (text: string) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

function decoded(base64: string): Bytes | undefined {
  try {
    return Uint8Array.from(base64Decode(base64));
  } catch {
    return undefined;
  }
}

/** The members of a JSON object, given as one or as text. */
function parsed(json: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof json === "string" ? JSON.parse(json) : json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? membersOf(value) : undefined;
  } catch {
    return undefined;
  }
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
