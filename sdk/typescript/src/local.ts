/** The local server: `hitl up` finds it or starts it, and says where it is. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Credential } from "./credential.js";
import { parseEndpoint } from "./endpoint.js";
import { HitlError, unavailable } from "./error.js";
import { findProgram } from "./program.js";
import { lines, oneLine } from "./shown.js";

/** Longer than `hitl up` takes, and shorter than an attempt of a call, so that its own error is the one that is seen. */
const UP_LIMIT_MS = 13_000;
const run = promisify(execFile);

/** A local server that serves. */
interface Found {
  readonly endpoint: string;
  readonly credential: Credential;
}

/** How the local server is found. */
export class Local {
  /** Where it was last. Empty before the first connect. */
  endpoint = "";
  /** What it takes for its user: nothing, unless it has said so. */
  credential = new Credential("");
  #finding: Promise<Found> | undefined;

  constructor(readonly binary: string) {}

  /** Returns once it serves and its endpoint is known. Calls at the same time share one search. */
  async ready(): Promise<void> {
    this.#finding ??= this.#up().finally(() => (this.#finding = undefined));
    ({ endpoint: this.endpoint, credential: this.credential } = await this.#finding);
  }

  async #up(): Promise<Found> {
    let said: string, told: string;
    try {
      ({ stdout: said, stderr: told } = await run(findProgram(this.binary), ["up"], { timeout: UP_LIMIT_MS }));
    } catch (error) {
      const { code, stderr = "", killed } = error as NodeJS.ErrnoException & { stderr?: string; killed?: boolean };
      if (killed) throw unavailable(`\`hitl up\` has not ended within ${UP_LIMIT_MS / 1000} s`, error);
      // It is a number if the program ran.
      if (typeof code === "number") throw failed(stderr);
      const help = "install hitl, or set HITL_BIN to the program, or HITL_ENDPOINT to a server that runs elsewhere";
      const what = `\`${oneLine(this.binary)}\` cannot be run (${messageOf(error)}) to find or start the local server`;
      throw noServer(`${what}: ${help}`);
    }
    try {
      const { endpoint, token } = JSON.parse(said) as { endpoint: string; token?: string };
      return { endpoint: parseEndpoint(endpoint), credential: new Credential(token ?? "") };
    } catch {
      throw failed(told);
    }
  }
}

const failed = (stderr: string) => noServer(`\`hitl up\` failed:\n${lines(stderr.trim().replace(/^hitl: /, ""))}`);
/** No local server, and repeating the call would not start one. */
const noServer = (message: string) => new HitlError("Unavailable", message);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
