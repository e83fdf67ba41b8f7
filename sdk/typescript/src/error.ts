/** One error type with a few kinds: as many as a caller would handle differently. */

import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Duration, timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { lines, oneLine } from "./shown.js";
import * as v1 from "./v1.js";

/**
 * What went wrong, in the terms of what a caller can do about it. More kinds may be added.
 *
 * - `NotFound`: there is no such event in this namespace.
 * - `Invalid`: the request, an answer, or the configuration breaks a rule: correct it.
 * - `Conflict`: the event has ended, or the idempotency key belongs to a different request.
 * - `Unauthenticated`: the server does not know who calls.
 * - `Denied`: the caller may not do this.
 * - `Exhausted`: the server is doing as much as it may: call again later.
 * - `Unavailable`: the server cannot be reached or cannot serve now; whether the call took effect is unknown.
 * - `Internal`: a fault of the server or of this package.
 * - `Declined`: a person declined the event being waited for.
 * - `Cancelled`: the event being waited for was cancelled by whoever asked.
 * - `TimedOut`: nobody answered the event being waited for before its deadline, and it has no default.
 */
export type ErrorKind =
  | "NotFound" | "Invalid" | "Conflict" | "Unauthenticated" | "Denied" | "Exhausted"
  | "Unavailable" | "Internal" | "Declined" | "Cancelled" | "TimedOut";

/** A field that breaks a rule. */
export interface FieldViolation {
  /** Path of the field, such as `value` or `input.int.min`. */
  readonly field: string;
  /** The rule that it breaks. */
  readonly description: string;
}

/** What others wrote, and what only their programs need: node is not to print it raw where nobody catches the error. */
const UNPRINTED = ["reason", "metadata", "fieldViolations", "response", "retryDelayMs", "isHopeless"];

/**
 * Why a call failed, or why a wait ended without a value.
 *
 * Its `message` says what happened and what to do, for people. Hidden characters of what others wrote, such as line
 * breaks and marks that turn the direction of text, are shown as escapes in it.
 */
export class HitlError extends Error {
  override readonly name = "HitlError";
  /** Whether the same call may succeed later. This package has repeated it for a while already. */
  readonly retryable: boolean = false;
  /** Full name of the server's `v1.ErrorReason`, such as `ERROR_REASON_EVENT_NOT_FOUND`. Empty if not the server's. */
  readonly reason: string = "";
  /** The values that the message mentions, by the names that `v1.ErrorReason` documents. */
  readonly metadata: Readonly<Record<string, string>> = {};
  /** The fields that break a rule, if the kind is `Invalid`. */
  readonly fieldViolations: readonly FieldViolation[] = [];
  /** How the event ended (when, why, by whom), if the kind is `Declined`, `Cancelled` or `TimedOut`. */
  readonly response?: v1.Response;
  /** How long the server asks to wait before the next attempt. @internal */
  readonly retryDelayMs: number = 0;
  /** Whether another attempt now would fail alike: nobody listens where no server was ever met. @internal */
  readonly isHopeless: boolean = false;

  constructor(readonly kind: ErrorKind, message: string, { cause, ...details }: Partial<HitlError> = {}) {
    super(lines(message), cause === undefined || !isPlain(cause) ? {} : { cause });
    Object.assign(this, details);
    for (const name of UNPRINTED) Object.defineProperty(this, name, { enumerable: false });
  }

  /** The error as `JSON.stringify` shows it. */
  toJSON(): object {
    const { name, kind, message, reason, metadata, fieldViolations, retryable, response } = this;
    const ended = response && responseJson(response);
    return { name, kind, message, reason, metadata, fieldViolations, retryable, response: ended };
  }
}

/** @internal */
export const invalid = (message: string, cause?: unknown) => new HitlError("Invalid", message, { cause });
/** @internal */
export const internal = (message: string) => new HitlError("Internal", message);
/** @internal */
export const unavailable = (message: string, cause?: unknown) =>
  new HitlError("Unavailable", message, { retryable: true, cause });

/** Whether a cause can be printed as it is: it may hold what others wrote. */
function isPlain(cause: unknown): boolean {
  for (let at = cause; at instanceof Error; at = at.cause) {
    if (lines(at.message) !== at.message) return false;
  }
  return true;
}

/** JSON of it; null if JSON cannot express what a server sent. */
function responseJson(response: v1.Response): JsonValue {
  try {
    return toJson(v1.ResponseSchema, response);
  } catch {
    return null;
  }
}

/** An event that ended without a value. Who ended it typed a name, if any: it is quoted, as given. @internal */
export function endedWithoutValue(kind: "Declined" | "Cancelled" | "TimedOut", event: v1.Event): HitlError {
  const { response } = event;
  const verb = { Declined: "declined", Cancelled: "cancelled", TimedOut: "not answered before its deadline" }[kind];
  const by = response?.responder?.name ? ` by "${response.responder.name}"` : "";
  const date = response?.time && timestampDate(response.time);
  const time = date && !Number.isNaN(date.getTime()) ? ` (${date.toISOString().replace(".000Z", "Z")})` : "";
  const why = response?.reason ? `: ${response.reason}` : "";
  return new HitlError(kind, oneLine(`"${event.name}" was ${verb}${by}${time}${why}`), { response });
}

/** What a call failed with: the server's own errors, and the many faces of a lost connection. @internal */
export function fromCall(failure: unknown, endpoint: string): unknown {
  if (!(failure instanceof ConnectError)) return failure;
  const info = failure.findDetails(ErrorInfoSchema).find((info) => info.domain === "hitl.v1");
  if (!info) return notOurs(failure, endpoint);
  const kind = kindOf(failure.code);
  return new HitlError(kind, oneLine(failure.rawMessage), {
    retryable: kind === "Unavailable" || kind === "Exhausted",
    reason: info.reason,
    metadata: info.metadata,
    fieldViolations: failure
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description }))),
    retryDelayMs: delayMs(failure.findDetails(RetryInfoSchema)[0]?.retryDelay),
    cause: failure,
  });
}

/** Why one part of a call failed, as if it had been a call of its own. @internal */
export function fromFailure({ code, reason, message, metadata, fieldViolations, retryAfter }: v1.Failure): HitlError {
  const kind = kindOf(code);
  return new HitlError(kind, oneLine(message), {
    retryable: kind === "Unavailable" || kind === "Exhausted",
    // A reason that this version does not know has no name here.
    reason: REASONS.get(reason) ?? "",
    metadata,
    fieldViolations: fieldViolations.map(({ field, description }) => ({ field, description })),
    retryDelayMs: delayMs(retryAfter),
  });
}

function delayMs(delay: Duration | undefined): number {
  return delay ? Math.min(Number(delay.seconds) * 1000 + delay.nanos / 1e6, RETRY_DELAY_MAX_MS) : 0;
}

/** An error that no hitl server made: the connection, a proxy, or some other server. */
function notOurs(failure: ConnectError, endpoint: string): HitlError {
  let root = failure.rawMessage;
  for (let cause = failure.cause; cause instanceof Error; cause = cause.cause) {
    // Several calls may have it, each of which adds what it knows.
    if (cause instanceof HitlError) {
      const { kind, message, retryable, isHopeless } = cause;
      return new HitlError(kind, message, { retryable, isHopeless, cause: failure });
    }
    root = cause.message || root;
  }
  root = oneLine(root);
  if (UNREADABLE.some((told) => failure.rawMessage.includes(told))) {
    return internal(`${endpoint} sent what cannot be read as a message of the API: ${root}`);
  }
  if (LOSSES.includes(failure.code)) {
    const help = "Check that it runs there, or set HITL_ENDPOINT to where it does";
    const message = `cannot reach the hitl server at ${endpoint}: ${root}. ${help}`;
    return new HitlError("Unavailable", message, { retryable: true, isHopeless: isNobody(failure), cause: failure });
  }
  if (failure.code === Code.Unimplemented) {
    return internal(`${endpoint} is not a hitl server, or one too old for this call: ${root}`);
  }
  return new HitlError(kindOf(failure.code), `${endpoint} refused the call: ${root}`, { cause: failure });
}

/** Whether nobody listens, or somebody whom this program does not trust. */
function isNobody(failure: Error): boolean {
  for (let at: unknown = failure; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string" && (code === "ECONNREFUSED" || UNTRUSTED.test(code))) return true;
  }
  return false;
}

/** What node calls a certificate that it does not take. */
const UNTRUSTED = /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_|CERT_|ERR_TLS_CERT_ALTNAME)/;

const REASONS = new Map<number, string>(v1.ErrorReasonSchema.values.map(({ number, name }) => [number, name]));

/** The longest that a server can have anyone wait before the next attempt, whatever it asks for. */
const RETRY_DELAY_MAX_MS = 60_000;

/** What Connect says of a message that it does not take. The next attempt would bring it again. */
const UNREADABLE = ["parse binary: ", "larger than configured readMaxBytes"];

/** Each code that a connection lost midway can show as is worth another attempt. */
const LOSSES = [
  Code.Unavailable, Code.Unknown, Code.Internal, Code.Canceled, Code.Aborted, Code.DeadlineExceeded,
  Code.ResourceExhausted,
];

const KINDS: Partial<Record<number, ErrorKind>> = {
  [Code.NotFound]: "NotFound",
  [Code.InvalidArgument]: "Invalid",
  [Code.OutOfRange]: "Invalid",
  [Code.AlreadyExists]: "Conflict",
  [Code.FailedPrecondition]: "Conflict",
  [Code.Unauthenticated]: "Unauthenticated",
  [Code.PermissionDenied]: "Denied",
  [Code.ResourceExhausted]: "Exhausted",
  [Code.Unavailable]: "Unavailable",
};

const kindOf = (code: number): ErrorKind => KINDS[code] ?? "Internal";
