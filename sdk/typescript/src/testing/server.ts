/** A throw-away server. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { Client } from "../client.js";
import { HitlError } from "../error.js";
import { findProgram } from "../program.js";
import { oneLine } from "../shown.js";
import { Human } from "./human.js";

/** How a server for tests is started. */
export interface TestServerOptions {
  /** The program, else `HITL_BIN`, else `hitl` in `PATH`, found as that of a local server is. */
  readonly binary?: string | undefined;
}

type Process = ChildProcessByStdio<Writable, Readable, null>;

/** A server for tests, which keeps nothing and ends with this process at the latest. */
export class TestServer {
  readonly #process: Process;

  private constructor(
    process: Process,
    /** Where it is. */
    readonly endpoint: string,
    /** A client of it. */
    readonly client: Client,
    /** A person who does as the test says. */
    readonly human: Human,
  ) {
    this.#process = process;
  }

  /** Starts one. Rejects with kind `Unavailable` if the program cannot be run. */
  static async start({ binary }: TestServerOptions = {}): Promise<TestServer> {
    const child = run(binary ?? (process.env.HITL_BIN || "hitl"));
    try {
      const endpoint = await endpointOf(child);
      const client = new Client({ endpoint, announce: false });
      return new TestServer(child, endpoint, client, await Human.of(client));
    } catch (error) {
      child.stdin.end();
      throw error;
    }
  }

  /** Lets so many milliseconds pass on the server, at once: deadlines that are due then are due. */
  advance(ms: number): Promise<void> {
    return this.human.time.advance(ms);
  }

  /** Ends it. What it holds is gone. */
  async close(): Promise<void> {
    this.human.close();
    this.client.close();
    const ended = this.#process.exitCode ?? once(this.#process, "exit");
    this.#process.stdin.end();
    await ended;
  }

  /** Ends it where its block ends. What failed there is what counts, so that nothing is checked. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function run(binary: string): Process {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("HITL_") || name === "HITL_LOG");
  try {
    return spawn(findProgram(binary), ["test-server"], {
      stdio: ["pipe", "pipe", "inherit"], env: Object.fromEntries(kept),
    });
  } catch (error) {
    throw notRun(binary, error);
  }
}

async function endpointOf(child: Process): Promise<string> {
  const lines = createInterface({ input: child.stdout });
  const said = await Promise.race([
    once(lines, "line").then(([line]) => String(line)),
    once(child, "exit").then(() => ""),
    once(child, "error").then(([error]) => { throw notRun(child.spawnfile, error); }),
  ]);
  try {
    return (JSON.parse(said) as { endpoint: string }).endpoint;
  } catch {
    throw new HitlError("Unavailable", "`hitl test-server` has not said where it is: is the program an older one?");
  }
}

function notRun(binary: string, error: unknown): HitlError {
  const why = error instanceof Error ? error.message : String(error);
  const what = `\`${oneLine(binary)}\` cannot be run (${oneLine(why)}) to start a server for tests`;
  return new HitlError("Unavailable", `${what}: install hitl, or set HITL_BIN to the program`);
}
