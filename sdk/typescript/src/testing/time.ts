/** The time of a server for tests, which no other server lets anybody move. */

import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { type Client as Stub, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { fromCall, invalid } from "../error.js";
import { TestService } from "../gen/hitl/v1/test_service_pb.js";
import { oneLine } from "../shown.js";

const LIMIT_MS = 15_000;

/** The time of one server. */
export class ServerTime {
  readonly #stub: Stub<typeof TestService>;
  readonly #endpoint: string;

  private constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#stub = createClient(TestService, createGrpcTransport({ baseUrl: endpoint }));
  }

  /** The time of the server at this endpoint. Rejects with kind `Invalid` if that is no server for tests. */
  static async of(endpoint: string): Promise<ServerTime> {
    if (!endpoint.startsWith("http://")) throw refusal(endpoint, "its address is not http://HOST:PORT");
    const time = new ServerTime(endpoint);
    try {
      await time.#stub.advanceTime({}, { timeoutMs: LIMIT_MS });
    } catch (error) {
      throw refusal(endpoint, ConnectError.from(error).rawMessage || "it says so");
    }
    return time;
  }

  /** Lets so many milliseconds pass at once. */
  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms)) throw invalid(`the time is ${ms}: give a number of milliseconds`);
    const whole = Math.ceil(ms);
    const duration = create(DurationSchema, {
      seconds: BigInt(Math.trunc(whole / 1000)), nanos: (whole % 1000) * 1_000_000,
    });
    try {
      await this.#stub.advanceTime({ duration }, { timeoutMs: LIMIT_MS });
    } catch (error) {
      throw fromCall(error, this.#endpoint);
    }
  }
}

const refusal = (endpoint: string, why: string) =>
  invalid(
    `${oneLine(endpoint) || "the local server"} is no server for tests (${oneLine(why)}): nobody answers there but people. ` +
      "Start one with `hitl test-server`, or use TestServer",
  );
