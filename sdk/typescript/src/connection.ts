/** The connection that all calls of a client share. */

import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type {
  DescMessage, DescMethodBiDiStreaming, DescMethodServerStreaming, DescMethodUnary, MessageInitShape, MessageShape,
} from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Limits, Settings } from "./config.js";
import type { Tls } from "./credential.js";
import { fromCall, HitlError, internal, invalid, unavailable } from "./error.js";
import { ensureSendable } from "./messages.js";
import type { Proxy } from "./proxy.js";
import { retry, within } from "./retry.js";
import { Telling } from "./told.js";
import { Tunnel } from "./tunnel.js";
import { Waits } from "./waits.js";

/** How long what may be silent. Tests shorten it. */
export const LIMITS = {
  /** Longer than a local server may take to start, so that its own error is the one that is seen. */
  attemptMs: 15_000,
  /** Three of the server's default heartbeats. */
  waitMs: 45_000,
  /**
   * A connection that died without a word is found within one attempt, so that the next one has time left. Idle ones are
   * not pinged: the manager would go on to after it has lost one, which ends the program.
   */
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
};
const CONNECT_TIMEOUT_MS = 5_000;
/** Enough for a page of large events; a limit only against a server gone wrong. */
const MESSAGE_BYTES_MAX = 256 << 20;
/** What node may hold for all streams of the connection, in MB: its own 10 are less than one page of large events. */
const SESSION_MEGABYTES_MAX = 512;

/** Connects at its first call, and again after each loss. */
export class Connection {
  /** Whether any call ever got a reply. */
  reached = false;
  readonly waits = new Waits(this);
  readonly telling: Telling;
  readonly #lines: readonly Line[];
  /** The one that served last, or is tried now. */
  #line: Line;
  #closed = false;
  #lastToken = "";
  /** Whether the server has refused the last token. */
  #isRefused = false;
  /** Whether there was no other token since. */
  #isConfirmed = false;

  constructor(readonly settings: Settings, transport?: Transport) {
    this.telling = new Telling(settings.announce);
    this.#lines = settings.endpoints.map((endpoint): Line => {
      // Where a local server is may change from one connection to the next.
      const proxy = !settings.local && settings.proxy?.isFor(endpoint) ? settings.proxy : undefined;
      const createConnection = () => dial(new URL(settings.local?.endpoint || endpoint), settings.tls, proxy);
      const nodeOptions = { createConnection, maxSessionMemory: SESSION_MEGABYTES_MAX };
      const session = new Sessions(endpoint, LIMITS, nodeOptions);
      const interceptors = [...settings.interceptors];
      const options = { baseUrl: endpoint, sessionManager: session, readMaxBytes: MESSAGE_BYTES_MAX, interceptors };
      return { endpoint, session, transport: transport ?? createGrpcTransport(options) };
    });
    this.#line = this.#lineAfter(undefined);
  }

  /** Where the server is; empty before the first connect to a local one. */
  get endpoint(): string {
    return this.settings.local ? this.settings.local.endpoint : this.#line.endpoint;
  }

  /** The same for messages, with no port where none is known. */
  get name(): string {
    return this.#nameOf(this.#line);
  }

  /** Makes a call, repeated while the server cannot be reached. An empty namespace is the client's. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    init: MessageInitShape<I> & { namespace?: string },
    signal: AbortSignal | undefined,
    limits: Limits,
  ): Promise<MessageShape<O>> {
    const request = message(method.input, { ...init, namespace: init.namespace || this.settings.namespace });
    const begun = performance.now();
    return retry(patienceMs(limits), signal, () => this.#round(method, request, signal, limits, begun), this.settings.log);
  }

  /** Makes a call, and does not repeat it. */
  callOnce<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal | undefined,
    limits: Limits,
  ): Promise<MessageShape<O>> {
    return this.#round(method, request, signal, limits, performance.now());
  }

  /** Makes a call once; of several servers to each in turn, until one serves. */
  async #round<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal | undefined,
    { callTimeoutMs, isPatient }: Limits,
    begun: number,
  ): Promise<MessageShape<O>> {
    for (let others = this.#lines.length - 1; ; others -= 1) {
      const leftMs = callTimeoutMs - (performance.now() - begun);
      const silence: Silence = leftMs < LIMITS.attemptMs
        ? { afterMs: Math.max(0, leftMs), told: `within the call's timeout of ${callTimeoutMs / 1000} s` }
        : { afterMs: LIMITS.attemptMs, told: `for ${LIMITS.attemptMs / 1000} s` };
      try {
        return await this.#attempt(this.#line, silence, signal, async (signal, { transport }) => {
          const reply = await transport.unary(method, signal, undefined, await this.#header(), request);
          this.#succeeded();
          return reply.message;
        });
      } catch (error) {
        if (!(error instanceof HitlError)) throw error;
        if (isPatient) Object.assign(error, { isHopeless: false });
        const isOver = performance.now() - begun >= callTimeoutMs;
        if (error.kind !== "Unavailable" || others === 0 || isOver) throw error;
      }
    }
  }

  /** Opens a stream for one request. An empty namespace is the client's. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    init: MessageInitShape<I> & { namespace?: string },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const request = message(method.input, { ...init, namespace: init.namespace || this.settings.namespace });
    return this.exchange(method, async function* () { yield await Promise.resolve(request); }, signal);
  }

  /**
   * Opens one stream and hands on its messages, to its end or until the server is silent for too long. It is closed when
   * the iteration ends, however that does, of which the signal that `requests` gets tells.
   */
  async *exchange<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O> | DescMethodBiDiStreaming<I, O>,
    requests: (closing: AbortSignal) => AsyncIterable<MessageShape<I>>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const closing = new AbortController();
    const line = this.#line;
    const messages = this.#messages(line, method, requests(closing.signal), closing.signal);
    const silence = { afterMs: LIMITS.waitMs, told: `for ${LIMITS.waitMs / 1000} s` };
    try {
      for (;;) {
        const next = await this.#attempt(line, silence, signal, () => messages.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      closing.abort();
    }
  }

  async *#messages<I extends DescMessage, O extends DescMessage>(
    { transport }: Line,
    method: DescMethodServerStreaming<I, O> | DescMethodBiDiStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const reply = await transport.stream(method, signal, undefined, await this.#header(), requests);
    // The first message may be long in coming, and whoever refuses or is not there has not come as far.
    this.#succeeded();
    yield* reply.message;
  }

  /** Ends the connection and all calls over it. */
  close(): void {
    this.#closed = true;
    for (const { session } of this.#lines) session.abort();
  }

  /**
   * Runs `call` with a local server started if need be, and its errors turned into ours. Where no server serves, and there
   * is another one, later calls go there.
   */
  #attempt<R>(
    line: Line,
    { afterMs, told }: Silence,
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal, line: Line) => Promise<R>,
  ): Promise<R> {
    const silence = () => {
      // The manager may wait for a ping of this connection for ever, and have all calls wait with it. A call that may take
      // less time than it takes to find that out says nothing of the others.
      if (afterMs >= LIMITS.attemptMs) line.session.abort();
      this.#leave(line);
      return unavailable(`the server at ${this.#nameOf(line)} sent nothing ${told}`);
    };
    return within(afterMs, silence, signal, async (signal) => {
      if (this.#closed) throw invalid("the client is closed");
      const state = line.session.state();
      if (this.#isRefused || state === "closed" || state === "error") await this.#find();
      try {
        return await call(signal, line);
      } catch (failure) {
        const error = this.#told(fromCall(failure, this.#nameOf(line)));
        const isAway = error !== failure && error instanceof HitlError && error.kind === "Unavailable";
        // What the caller has ended says nothing of the server.
        if (isAway && !signal.aborted) this.#leave(line);
        throw error;
      }
    });
  }

  /** Goes on to the next server, unless some other call has done so. */
  #leave(line: Line): void {
    if (this.#line !== line || this.#lines.length === 1) return;
    this.#line = this.#lineAfter(line);
    this.settings.log.warn(`no server at ${line.endpoint}, tries ${this.#line.endpoint}`);
  }

  /** The line after that one, the first after the last one or none. */
  #lineAfter(line: Line | undefined): Line {
    const [first] = this.#lines;
    if (!first) throw internal("there is no endpoint");
    return this.#lines[line ? this.#lines.indexOf(line) + 1 : 0] ?? first;
  }

  /** The server for messages, with no port where none is known. */
  #nameOf({ endpoint }: Line): string {
    return this.settings.local?.endpoint || endpoint;
  }

  async #find(): Promise<void> {
    const { local, log } = this.settings;
    if (!local) return;
    const before = local.endpoint;
    await local.ready();
    if (local.endpoint !== before) log.info(`the local server is at ${local.endpoint}`);
  }

  /** Says who calls, and what else goes with every call. */
  async #header(): Promise<Record<string, string>> {
    const { credential, headers, local } = this.settings;
    const token = await (credential.isGiven || !local ? credential : local.credential).current();
    if (this.#isRefused) [this.#isRefused, this.#isConfirmed] = [false, token === this.#lastToken];
    this.#lastToken = token;
    return { ...Object.fromEntries(headers), ...(token && { authorization: `Bearer ${token}` }) };
  }

  #succeeded(): void {
    this.reached = true;
    this.#isConfirmed = false;
  }

  /** The error of a call with what this connection knows of it. */
  #told(error: unknown): unknown {
    if (!(error instanceof HitlError)) return error;
    const { local, credential, isPatient } = this.settings;
    // A local server that was started anew takes another token, and `hitl up` knows which.
    const changes = credential.changes || (local !== undefined && !credential.isGiven);
    const isOutdated = error.kind === "Unauthenticated" && changes && !this.#isConfirmed;
    if (isOutdated) this.#isRefused = true;
    const isHopeless = error.isHopeless && !local && !this.reached && !isPatient;
    return Object.assign(error, { retryable: error.retryable || isOutdated, isHopeless });
  }
}

/** One of the servers. */
interface Line {
  readonly endpoint: string;
  readonly session: Sessions;
  readonly transport: Transport;
}

/** How long a server may be silent, and that in words. */
interface Silence {
  readonly afterMs: number;
  readonly told: string;
}

/** For how long it is worth to begin another attempt. */
export const patienceMs = ({ retryForMs, callTimeoutMs }: Limits) => Math.min(retryForMs, callTimeoutMs);

/**
 * Sessions whose errors nobody need listen to: when a server ends in good order the manager destroys the session with an
 * error, and may have stopped to listen by the time it is told, which would end the program.
 */
class Sessions extends Http2SessionManager {
  readonly #heard = new WeakSet();

  override async request(...[method, path, headers, options]: Parameters<Http2SessionManager["request"]>) {
    // Node itself would leave out the brackets of an IPv6 address.
    const named = { ":authority": new URL(this.authority).host, ...headers };
    const stream = await super.request(method, path, named, options);
    const { session } = stream;
    if (session !== undefined && !this.#heard.has(session)) {
      this.#heard.add(session);
      session.on("error", () => undefined);
    }
    return stream;
  }
}

/** A message that can be sent. */
export function message<D extends DescMessage>(schema: D, init: MessageInitShape<D>): MessageShape<D> {
  try {
    const message = create(schema, init);
    ensureSendable(schema, message);
    return message;
  } catch (error) {
    if (error instanceof HitlError) throw error;
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

/** A connection that is given up if it cannot be made in time. */
function dial(authority: URL, pems: Tls, proxy: Proxy | undefined): Duplex {
  const host = authority.hostname.replace(/^\[|\]$/g, "");
  const isPlain = authority.protocol === "http:";
  const port = Number(authority.port || (isPlain ? 80 : 443));
  const tunnel = proxy && new Tunnel(proxy, authority, port, CONNECT_TIMEOUT_MS);
  const where = { host, port, noDelay: true, ...(tunnel && { socket: tunnel }) };
  const { ca, cert, key } = pems;
  const name = net.isIP(host) ? {} : { servername: host };
  const plain = () => tunnel ?? net.connect(where);
  const socket = isPlain ? plain() : tls.connect({ ...where, ...name, ca, cert, key, ALPNProtocols: ["h2"] });
  // What is spoken within it would not tell why there is none.
  tunnel?.once("error", (why) => socket.destroy(why));
  const giveUp = () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
  // A tunnel tells by itself that it took too long.
  const timer = setTimeout(giveUp, tunnel ? 2 * CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS);
  const settled = () => { clearTimeout(timer); };
  return socket.once(isPlain ? "connect" : "secureConnect", settled).once("close", settled);
}
