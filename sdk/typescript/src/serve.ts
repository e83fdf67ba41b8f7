/**
 * A local server when there is none: before each connect, if nothing listens, `hitl serve` is started.
 *
 * Many programs may do so at once. Each starts a server and all but one of those find the port or the store taken and
 * exit, so a server that exits is no failure as long as the port answers soon.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { HitlError, unavailable } from "./error.js";
import { sleep } from "./retry.js";

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
    readonly dataDir: string,
    readonly startLimitMs = START_LIMIT_MS,
  ) {
    this.#address = `127.0.0.1:${port}`;
    this.endpoint = `http://${this.#address}`;
  }

  /** Returns when a server listens, having started one if need be. Calls at the same time share one start. */
  async ready(): Promise<void> {
    this.#starting ??= this.#ready().finally(() => (this.#starting = undefined));
    await this.#starting;
  }

  async #ready(): Promise<void> {
    if (await this.#listens()) return;
    // The server runs in its data directory, so a relative path would lead astray there.
    const log = new Log(path.resolve(this.dataDir));
    const deadline = performance.now() + this.startLimitMs;
    let server = await this.#start(log);
    let startedAt = performance.now();
    while (!(await this.#serves(deadline))) {
      if (performance.now() >= deadline) throw this.#notStarted(log);
      await sleep(POLL_INTERVAL_MS);
      const ended = server.exitCode !== null || server.signalCode !== null;
      if (ended && performance.now() - startedAt > RESTART_INTERVAL_MS) {
        startedAt = performance.now();
        server = await this.#start(log);
      }
    }
  }

  /** Whether something accepts connections. */
  async #listens(): Promise<boolean> {
    const socket = net.connect(this.port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") return false;
      throw unavailable(`cannot connect to the local server at ${this.#address}: ${messageOf(error)}`, error);
    } finally {
      socket.destroy();
    }
  }

  /** Whether a server replies. One that listens may yet fail to open its store. */
  async #serves(deadline: number): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now())));
      await (await fetch(`${this.endpoint}/healthz`, { signal })).body?.cancel();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Starts a server that outlives this program: not in its process group, lest Ctrl-C end both, nor in its directory,
   * nor with its terminal.
   */
  async #start(log: Log): Promise<ChildProcess> {
    const output = log.open();
    try {
      const server = spawn(this.binary, ["serve", "--idle-exit", "10m", "--listen", this.#address], {
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
      const what = `no server runs on ${this.#address} and \`${this.binary}\` cannot be started`;
      throw noServer(`${what} (${messageOf(error)}): ${help}`);
    } finally {
      fs.closeSync(output);
    }
  }

  #notStarted(log: Log): HitlError {
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
      fs.mkdirSync(dir, { recursive: true });
      if (length() > LOG_BYTES_MAX) fs.renameSync(this.path, `${this.path}.1`);
      return length();
    });
  }

  open(): number {
    return usable(this.path, () => fs.openSync(this.path, "a"));
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
