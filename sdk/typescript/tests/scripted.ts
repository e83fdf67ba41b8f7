/** A server that does as a script says, in memory, for tests on paused time. */

import { mock } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { Client } from "../src/client.js";
import { type Config, resolve } from "../src/config.js";
import { Connection } from "../src/connection.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import * as v1 from "../src/v1.js";

export type Message = MessageInitShape<typeof v1.WaitEventsResponseSchema>;

export type Update = MessageInitShape<typeof v1.WatchEventsResponseSchema>;

/** What one stream of waits or watch is answered with: messages, each after a pause, then an error, silence, or the end of the stream. */
export interface Step {
  messages?: (Message | Update)[];
  /** What is said of each event that is added to waits, after the messages. */
  reply?: (eventId: string) => Message;
  pauseMs?: number;
  then?: ConnectError | "hang" | "end";
  /** What a batch is answered with, if not by the error. */
  results?: MessageInitShape<typeof v1.CreateEventResultSchema>[];
}

type Repeatable = v1.CreateEventRequest | v1.AnswerEventRequest | v1.DeclineEventRequest;

/**
 * A client of a server that follows `steps`, and what that server has seen: streams of waits and what they were asked,
 * with + or - before the event, streams that the client closed, creates, batches, watches, and all calls that may be
 * repeated. Of those, the first attempts of the first `lostReplies` calls get no reply.
 */
export function scripted(steps: Iterable<Step>, config: Config = {}, lostReplies = 0) {
  const script = steps[Symbol.iterator]();
  const nextStep = (): Step => {
    const step = script.next();
    if (step.done) throw new Error("the script foresees every call");
    return step.value;
  };
  /** The step of the stream that is being opened. */
  let opened: Step = {};
  const seen = {
    waits: 0, asked: [] as string[], closed: 0, created: [] as v1.CreateEventRequest[], called: [] as Repeatable[],
    batches: [] as v1.CreateEventRequest[][], watches: [] as v1.WatchEventsRequest[],
  };
  const see = (request: Repeatable) => {
    seen.called.push(request);
    const { length } = seen.called;
    if (length % 2 === 1 && length < 2 * lostReplies) throw new ConnectError("connection lost", Code.Unavailable);
  };
  const ended = (request: Repeatable) => {
    see(request);
    return { event: { id: "e" } };
  };
  async function* follow<M>({ messages = [], pauseMs = 0, then = "end" }: Step, signal: AbortSignal) {
    const closed = new Promise((stop) => { signal.addEventListener("abort", stop); });
    if (then === "hang") void closed.then(() => seen.closed++);
    for (const message of messages) {
      if (pauseMs > 0) await new Promise((passed) => setTimeout(passed, pauseMs));
      yield message as M;
    }
    if (then instanceof ConnectError) throw then;
    if (then === "hang") await closed;
  }
  /** The events that are added. */
  async function* asked(requests: AsyncIterable<v1.WaitEventsRequest>) {
    for await (const { add, remove } of requests) {
      seen.asked.push(...remove.map(({ eventId }) => `-${eventId}`), ...add.map(({ eventId }) => `+${eventId}`));
      yield* add.map(({ eventId }) => eventId);
    }
  }
  const router = createRouterTransport(({ service }) => {
    service(v1.EventService, {
      async *waitEvents(requests, { signal }) {
        const step = opened;
        const { reply } = step;
        const added = asked(requests);
        if (reply) {
          for await (const eventId of added) yield reply(eventId);
        } else {
          // Reading fails once the stream is over.
          void (async () => { while (!(await added.next()).done); })().catch(() => undefined);
          yield* follow<Message>(step, signal);
        }
      },
      async *watchEvents(request, { signal }) {
        seen.watches.push(request);
        yield* follow<Update>(opened, signal);
      },
      // Gives the key back as the id, for tests to see.
      createEvent: (request) => {
        const { idempotencyKey: id, prompt } = request;
        see(request);
        seen.created.push(request);
        if (prompt === "refuse") throw refusal(Code.InvalidArgument, "ERROR_REASON_INVALID_REQUEST");
        return { event: { id } };
      },
      batchCreateEvents: ({ requests }) => {
        seen.batches.push(requests);
        const { then, results = [] } = nextStep();
        if (then instanceof ConnectError) throw then;
        return { results };
      },
      answerEvent: ended,
      declineEvent: ended,
    });
  });
  const transport: Transport = {
    unary: (...call) => router.unary(...call),
    stream: async (...call) => {
      opened = nextStep();
      const [method, , , , input] = call;
      if (method.name === "WaitEvents") seen.waits++;
      // Over a network a refusal comes in place of a reply, not within one.
      if (opened.then instanceof ConnectError && !opened.messages) {
        if (method.name === "WatchEvents") for await (const request of input) seen.watches.push(request as v1.WatchEventsRequest);
        throw opened.then;
      }
      return router.stream(...call);
    },
  };
  const settings = resolve({ endpoint: "http://scripted", ...config }, {});
  return { client: new Client(config, new Connection(settings, transport)), seen };
}

/** What a server of ours refuses a call with. */
export function refusal(code: Code, reason: string, domain = "hitl.v1"): ConnectError {
  return new ConnectError("what happened", code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain, metadata: { state: "EVENT_STATE_ANSWERED" } } },
    { desc: BadRequestSchema, value: { fieldViolations: [{ field: "value", description: "must be at least 0" }] } },
    { desc: RetryInfoSchema, value: { retryDelay: { seconds: 3n, nanos: 500_000_000 } } },
  ]);
}

export function event(state: v1.EventState, value?: bigint, id = "e"): Message {
  const ended = state !== v1.EventState.PENDING;
  const response = ended ? { state, value: value === undefined ? undefined : intValue(value) } : undefined;
  return { update: { case: "event", value: { id, name: "deploy", state, response } } };
}

export const answered = (value: bigint, id = "e") => event(v1.EventState.ANSWERED, value, id);
export const failed = (code: Code, reason: v1.ErrorReason): Message => {
  const value = { key: { namespace: "default", eventId: "e" }, failure: { code, reason } };
  return { update: { case: "failed", value } };
};
export const heartbeat = (): Message => ({ update: { case: "heartbeat", value: {} } });
export const intValue = (value: bigint) => create(v1.ValueSchema, { kind: { case: "int", value } });
export const lost = () => ({ then: new ConnectError("connection refused", Code.Unavailable) });

const STEP_MS = 25;

/** What `act` resolves to, and how long it took by a clock that runs as fast as the program can. */
export async function onPausedTime<R>(act: () => Promise<R>) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(performance, "now", () => Date.now());
  try {
    const begun = Date.now();
    let result: PromiseSettledResult<R> | undefined;
    void Promise.allSettled([act()]).then(([settled]) => (result = settled));
    for (;;) {
      // What can be done without the passing of time is done first.
      for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
      if (result) return { result, tookMs: Date.now() - begun };
      mock.timers.tick(STEP_MS);
    }
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
}
