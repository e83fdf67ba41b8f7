/** Reviews: a person decides on an action, and only exactly what was approved is done. */

import { create } from "@bufbuild/protobuf";
import { actionDigest, type Json } from "./canonical.js";
import { HitlError, internal, invalid } from "./error.js";
import { oneLine, quoted } from "./shown.js";
import { InputSchema, ReviewDecision, type ReviewValue, ValueSchema } from "./v1.js";
import type { DataType } from "./value.js";

const NUMBERS = {
  approve: ReviewDecision.APPROVE,
  edit: ReviewDecision.EDIT,
  reject: ReviewDecision.REJECT,
  respond: ReviewDecision.RESPOND,
} as const;

/**
 * What a person decides: the action may be taken as it was shown (`approve`), or with other arguments (`edit`); it may not
 * be taken (`reject`), or there is something to go on with instead (`respond`).
 */
export type Decision = keyof typeof NUMBERS;

const NAMES = new Map<ReviewDecision, Decision>(
  Object.entries(NUMBERS).map(([name, number]) => [number, name as Decision]),
);

/** What a review has besides its decision. */
export type ReviewInit = Partial<Omit<Review, "approves" | "executeIfApproved" | "isApproved" | "decision">>;

/** A decision on an action. What may be done comes out of `executeIfApproved` alone. */
export class Review {
  /** The action that was decided on. */
  readonly action: string;
  /** What was approved; null if nothing was. */
  readonly arguments: Json;
  /** Why it was rejected, or what to go on with instead. */
  readonly message: string;
  /** Digest of what the person was shown; empty if nobody was, as when a default was used. */
  readonly shownDigest: string;
  /** Digest of what was approved; empty if nothing was. */
  readonly approvedDigest: string;

  constructor(
    /** What was decided. */
    readonly decision: Decision,
    init: ReviewInit = {},
  ) {
    this.action = init.action ?? "";
    this.arguments = init.arguments ?? null;
    this.message = init.message ?? "";
    this.shownDigest = init.shownDigest ?? "";
    this.approvedDigest = init.approvedDigest ?? "";
  }

  /** Whether the action may be taken, with the arguments that were approved. */
  get isApproved(): boolean {
    return (this.decision === "approve" || this.decision === "edit") && this.approvedDigest !== "";
  }

  /** Whether exactly this action with exactly these arguments was approved. */
  approves(action: string, args: Json): boolean {
    try {
      return this.isApproved && actionDigest(action, args) === this.approvedDigest;
    } catch {
      return false;
    }
  }

  /**
   * Calls `run` with the arguments that were approved for the action, and returns what it returns: a promise, if it is async.
   *
   * Throws a `HitlError` of kind `Declined` if the action was not approved, and of kind `Invalid` if what was approved is
   * another action, or not what its digest says. `run` is not called then.
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- whoever runs it says what it takes
  executeIfApproved<R, A = Json>(action: string, run: (args: A) => R): R {
    if (!this.isApproved) {
      const why = this.message ? `: ${this.message}` : "";
      throw new HitlError("Declined", oneLine(`the action ${quoted(this.action)} was not approved${why}`));
    }
    if (!this.approves(action, this.arguments)) {
      throw invalid(oneLine(`what was approved is not ${quoted(action)} with these arguments`));
    }
    return run(this.arguments as A);
  }
}

/** What else a review is asked with. */
export interface ReviewOptions {
  /** A JSON Schema that the arguments fit, and that edited ones must fit, as an object or as text. */
  schema?: object | string;
  /** Which decisions may be made: all unless set. */
  allow?: readonly Decision[];
}

/** A decision on an action, which would be taken with these arguments. */
export function review(action: string, args: Json, { schema, allow = [] }: ReviewOptions = {}): DataType<Review> {
  const input = {
    action,
    arguments: jsonOf(args),
    jsonSchema: schema === undefined || typeof schema === "string" ? schema : jsonOf(schema),
    allow: allow.map(numberOf),
  };
  return reviewType(input);
}

/** How a review is asked, besides. */
export interface Asked {
  /** What lists and logs call it: the action unless set. */
  name?: string;
  /** What is asked, above the action. */
  prompt?: string;
}

/** What a review is asked as: its name, its prompt and its type. @internal */
export function asReview(
  action: string,
  args: Json,
  { name = action, prompt = `May ${action} be done as shown?`, ...options }: ReviewOptions & Asked,
): [name: string, prompt: string, type: DataType<Review>] {
  return [name, prompt, review(action, args, options)];
}

/** The type of an event that asks for a decision, to attach to it. */
export const decision = (): DataType<Review> => reviewType({});

function reviewType(input: { action?: string; arguments?: string; jsonSchema?: string; allow?: ReviewDecision[] }): DataType<Review> {
  return {
    input: create(InputSchema, { kind: { case: "review", value: input } }),
    fromValue(value, asked) {
      const stored = asked?.kind.case === "review" ? asked.kind.value : input;
      if (value.kind.case !== "review") {
        throw internal(`the server sent ${value.kind.case ?? "nothing"} where the event asks for review`);
      }
      return read(value.kind.value, stored.action ?? "", stored.arguments ?? "");
    },
    toValue({ decision, arguments: args, message, shownDigest }) {
      const given = { decision: numberOf(decision), arguments: args === null ? "" : jsonOf(args), message, shownDigest };
      return create(ValueSchema, { kind: { case: "review", value: given } });
    },
  };
}

function read(value: ReviewValue, action: string, asked: string): Review {
  const decision = NAMES.get(value.decision);
  if (!decision) throw internal("the server sent no known decision");
  const { message, shownDigest, approvedDigest } = value;
  // Where a default was used nobody was shown anything.
  if (shownDigest && shownDigest !== actionDigest(action, parsed(asked))) {
    throw internal("the server sent a decision on something else than was shown");
  }
  const args = value.arguments ? parsed(value.arguments) : null;
  return new Review(decision, { action, arguments: args, message, shownDigest, approvedDigest });
}

function numberOf(decision: Decision): ReviewDecision {
  if (Object.hasOwn(NUMBERS, decision)) return NUMBERS[decision];
  throw invalid(`the decision is ${quoted(decision)}: give approve, edit, reject or respond`);
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw internal("the server sent arguments that are no JSON");
  }
}

function jsonOf(value: unknown): string {
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw invalid(`the arguments cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (typeof text !== "string") throw invalid("the arguments are no JSON");
  return text;
}
