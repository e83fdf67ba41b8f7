/** Links for one person each. */

import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { invalid } from "./error.js";
import { INSPECT, type Inspect, printed } from "./messages.js";

/** A link that was made for one person: whoever answers by it is recorded as that person. Printed, it is no secret. */
export class Link {
  /** @internal */
  constructor(
    /** The page where the person answers. A secret: whoever has it answers as that person. */
    readonly url: string,
    /** Where a program answers as that person, with plain JSON. A secret like `url`. */
    readonly apiUrl: string,
    /** Until when the link is good, by the server's clock. */
    readonly expires: Date,
  ) {}

  /** @internal */
  static of({ formUrl, apiUrl, expireTime }: { formUrl: string; apiUrl: string; expireTime?: Timestamp }): Link {
    return new Link(formUrl, apiUrl, expireTime ? timestampDate(expireTime) : new Date(0));
  }

  /** What `JSON.stringify` shows of it: nothing secret. */
  toJSON(): { expires: Date } {
    return { expires: this.expires };
  }

  /** The same, as node prints it. @internal */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    return `Link ${printed(this.toJSON(), options, inspect)}`;
  }
}

/** The duration of a message, rounded up to a millisecond. @internal */
export function duration(ms: number): Duration {
  if (!Number.isFinite(ms)) throw invalid(`the time is ${ms}: give a number of milliseconds`);
  const whole = Math.ceil(ms);
  return create(DurationSchema, { seconds: BigInt(Math.trunc(whole / 1000)), nanos: (whole % 1000) * 1_000_000 });
}
