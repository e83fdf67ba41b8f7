/** The way to a server through a proxy: CONNECT, and from then on what both sides say. */

import net from "node:net";
import { Duplex } from "node:stream";
import { HitlError, unavailable } from "./error.js";
import type { Proxy } from "./proxy.js";

/** More than any proxy says before the tunnel begins. */
const HEAD_BYTES_MAX = 16 << 10;
/** The user or the password is wrong, or missing. */
const UNKNOWN_USER = 407;

/** A connection to a server, on which what is written waits until there is a way. It emits `connect` then. */
export class Tunnel extends Duplex {
  readonly #socket: net.Socket;
  readonly #proxy: Proxy;
  readonly #server: string;
  readonly #timer: NodeJS.Timeout;
  #isOpen = false;
  #head = Buffer.alloc(0);
  /** Writes what waits, if anything does. */
  #open: (() => void) | undefined;

  constructor(proxy: Proxy, server: URL, port: number, limitMs: number) {
    super();
    const { hostname, port: at } = new URL(proxy.endpoint);
    this.#proxy = proxy;
    this.#server = `${server.protocol}//${server.hostname}:${port}`;
    const host = hostname.replace(/^\[|\]$/g, "");
    this.#socket = net.connect({ host, port: Number(at || 80), noDelay: true });
    const told = `no way through the proxy at ${proxy.endpoint} to ${this.#server} within ${limitMs / 1000} s`;
    this.#timer = setTimeout(() => this.destroy(unavailable(told)), limitMs);
    this.#socket
      .once("connect", () => this.#socket.write(request(proxy, `${server.hostname}:${port}`)))
      .on("data", (bytes: Buffer) => { this.#take(bytes); })
      .on("end", () => { this.#end(); })
      .on("error", (error) => { this.destroy(this.#isOpen ? error : this.#failed(error)); })
      .on("close", () => { this.destroy(); });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = () => { this.#socket.write(bytes, done); };
    if (this.#isOpen) write();
    else this.#open = write;
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
    done(error);
  }

  #take(bytes: Buffer): void {
    if (this.#isOpen) {
      if (!this.push(bytes)) this.#socket.pause();
      return;
    }
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#head.length > HEAD_BYTES_MAX) this.destroy(this.#failed(new Error("its reply has no end")));
      return;
    }
    const refusal = this.#refusal(this.#head.toString("latin1", 0, end));
    if (refusal) {
      this.destroy(refusal);
      return;
    }
    clearTimeout(this.#timer);
    this.#isOpen = true;
    this.emit("connect");
    // What follows the head is the server's.
    const rest = this.#head.subarray(end + 4);
    if (rest.length > 0) this.push(rest);
    this.#open?.();
  }

  #end(): void {
    if (this.#isOpen) this.push(null);
    else this.destroy(this.#failed(new Error("it has closed the connection")));
  }

  /** Undefined if the proxy has agreed. */
  #refusal(head: string): HitlError | undefined {
    const status = Number(/^HTTP\/1\.\d (\d{3})(?: |\r|$)/.exec(head)?.[1] ?? 0);
    const at = this.#proxy.endpoint;
    if (status >= 200 && status < 300) return undefined;
    if (status === 0) {
      return new HitlError("Unavailable", `what is at ${at} is no HTTP proxy: give another as proxy (HITL_PROXY)`);
    }
    if (status === UNKNOWN_USER) {
      const help = "give them in proxy (HITL_PROXY), as http://USER:PASSWORD@HOST:PORT";
      return new HitlError("Unavailable", `the proxy at ${at} wants another user or password (status ${status}): ${help}`);
    }
    const help = "check the endpoint, and what the proxy allows";
    const told = `the proxy at ${at} does not lead to ${this.#server} (status ${status}): ${help}`;
    // That the server is not there may pass; that it may not be reached does not.
    const mayPass = status >= 500;
    return new HitlError("Unavailable", told, { retryable: mayPass, isHopeless: mayPass });
  }

  #failed(error: NodeJS.ErrnoException): HitlError {
    const at = this.#proxy.endpoint;
    if (error.syscall !== "connect" && error.syscall !== "getaddrinfo") {
      return unavailable(`the proxy at ${at} broke off on the way to ${this.#server}: ${error.message}`, error);
    }
    const help = "Check that it runs there, or set proxy (HITL_PROXY) to where it does";
    const told = `cannot reach the proxy at ${at}: ${error.message}. ${help}`;
    return new HitlError("Unavailable", told, { retryable: true, isHopeless: error.code === "ECONNREFUSED", cause: error });
  }
}

function request({ authorization }: Proxy, to: string): string {
  const proof = authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`;
  return `CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n${proof}\r\n`;
}
