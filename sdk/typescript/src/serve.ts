/**
 * A local server when there is none: before each connect, if nothing listens, `hitl serve` is started.
 *
 * Many programs may do so at once. Each starts a server and all but one of those find the port or the store taken and
 * exit, so a server that exits is no failure as long as the port answers soon.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { HitlError, silent, unavailable } from "./error.js";
import { findProgram } from "./program.js";
import { sleep } from "./retry.js";
import { oneLine } from "./shown.js";

/** How long a server may take until it serves, with its store opened. */
const START_LIMIT_MS = 10_000;
const POLL_INTERVAL_MS = 20;
/**
 * Between two starts: the port or the store may be in the hands of a server that is about to listen, or about to end.
 */
const RESTART_INTERVAL_MS = 1_000;
/** A log grown beyond this is put aside when a server starts, so that two of them are the most. */
const LOG_BYTES_MAX = 8 << 20;
const LOG_TAIL_LINES = 8;

/** Starts a local server when it is needed. */
export class Launcher {
  readonly endpoint: string;
  readonly #address: string;
  #starting: Promise<void> | undefined;

  constructor(
    readonly port: number,
    readonly binary: string,
    readonly dataDir: string | undefined,
    readonly startLimitMs = START_LIMIT_MS,
  ) {
    this.#address = `127.0.0.1:${port}`;
    this.endpoint = `http://${this.#address}`;
  }

  /** Returns when a server serves, having started one if nothing listened. Calls at the same time share one start. */
  async ready(): Promise<void> {
    this.#starting ??= this.#ready().finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  async #ready(): Promise<void> {
    let log: Log | undefined;
    let server: ChildProcess | undefined;
    let startAt = performance.now();
    const deadline = startAt + this.startLimitMs;
    for (;;) {
      const found = await this.#probe(deadline);
      if (found === "hitl") return;
      if (found === "other") throw this.#notOurs();
      const now = performance.now();
      if (now >= deadline) throw this.#notServing(log);
      // None was started yet; or it lost the race for the port, and then the one that won may end.
      const ended = server?.exitCode !== null || server.signalCode !== null;
      if (found === "nobody" && ended && now >= startAt) {
        log ??= this.#log();
        server = await this.#start(log);
        startAt = now + RESTART_INTERVAL_MS;
      }
      await sleep(POLL_INTERVAL_MS);
    }
  }

  /** Who listens. A server says nothing that has yet to open its store, or is about to end. */
  async #probe(deadline: number): Promise<"nobody" | "silent" | "hitl" | "other"> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now())));
    const request = http.get(`${this.endpoint}/healthz`, { agent: false, signal });
    request.on("error", () => undefined);
    try {
      const [reply] = (await once(request, "response")) as [http.IncomingMessage];
      return reply.statusCode === 200 && (await text(reply)) === "alive\n" ? "hitl" : "other";
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "ECONNREFUSED") return "nobody";
      if (code.startsWith("HPE_")) return "other";
      if (["ABORT_ERR", "ECONNRESET"].includes(code)) return "silent";
      throw unavailable(`cannot connect to the local server at ${this.#address}: ${messageOf(error)}`, error);
    } finally {
      request.destroy();
    }
  }

  #log(): Log {
    if (this.dataDir === undefined) {
      throw noServer(
        "nowhere to keep the local server's data: set HITL_DATA_DIR, or HITL_ENDPOINT to use a server that runs elsewhere",
      );
    }
    // The server runs in its data directory, so a relative path would lead astray there.
    return new Log(path.resolve(this.dataDir));
  }

  /**
   * Starts a server that outlives this program: not in its process group, lest Ctrl-C end both, nor in its directory,
   * nor with its terminal.
   */
  async #start(log: Log): Promise<ChildProcess> {
    const output = log.open();
    try {
      const server = spawn(findProgram(this.binary), ["serve", "--idle-exit", "10m", "--listen", this.#address], {
        cwd: log.dir,
        env: { ...process.env, HITL_DATA_DIR: log.dir },
        detached: true,
        stdio: ["ignore", output, output],
      });
      server.unref();
      await once(server, "spawn");
      return server;
    } catch (error) {
      const help = "install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a server that runs elsewhere";
      const what = `no server runs on ${this.#address} and \`${oneLine(this.binary)}\` cannot be started`;
      throw noServer(`${what} (${messageOf(error)}): ${help}`);
    } finally {
      fs.closeSync(output);
    }
  }

  #notOurs(): HitlError {
    const help = "set HITL_PORT to another port, or HITL_ENDPOINT to a server";
    return noServer(`something that is not hitl listens on ${this.#address}: ${help}`);
  }

  #notServing(log: Log | undefined): HitlError {
    if (!log) return silent(this.endpoint, this.startLimitMs);
    const limit = `${this.startLimitMs / 1000} s`;
    return noServer(
      `\`hitl serve\` did not start on ${this.#address} within ${limit}. Its log, ${log.path}, ends:\n${log.tail()}`,
    );
  }
}

/** Where a server's output goes, and how long the file was before it wrote there. */
class Log {
  readonly path: string;
  readonly #start: number;

  constructor(readonly dir: string) {
    this.path = path.join(dir, "serve.log");
    const length = () => fs.statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    this.#start = usable(dir, () => {
      fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
      if (length() > LOG_BYTES_MAX) fs.renameSync(this.path, `${this.path}.1`);
      return length();
    });
  }

  open(): number {
    return usable(this.path, () => fs.openSync(this.path, "a", 0o600));
  }

  /** The last lines written since the server was started. */
  tail(): string {
    const bytes = fs.readFileSync(this.path).subarray(this.#start);
    return bytes.toString().trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  }
}

function usable<R>(file: string, use: () => R): R {
  try {
    return use();
  } catch (error) {
    const help = "The local server needs it: make it writable, or set HITL_DATA_DIR";
    throw noServer(`${file}: ${messageOf(error)}. ${help}`);
  }
}

/** No local server, and repeating the call would not start one. */
const noServer = (message: string) => new HitlError("Unavailable", message);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
