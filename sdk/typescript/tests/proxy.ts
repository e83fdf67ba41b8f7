/** What stands between a client and a server: counts connections, and lets them fall silent. */

import { once } from "node:events";
import net from "node:net";
import type { TestContext } from "node:test";

export class Proxy {
  /** How many connections there have been. */
  accepted = 0;
  readonly #sockets: net.Socket[] = [];

  private constructor(readonly endpoint: string) {}

  /** A proxy of the server at `endpoint`, until the test ends. */
  static async of(endpoint: string, t: TestContext): Promise<Proxy> {
    const listener = net.createServer((client) => { proxy.#accept(client, net.connect(Number(new URL(endpoint).port))); });
    await once(listener.listen(0, "127.0.0.1"), "listening");
    const proxy = new Proxy(`http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`);
    t.after(() => {
      listener.close();
      for (const socket of proxy.#sockets) socket.destroy();
    });
    return proxy;
  }

  /** No connection that there is passes anything on any more, nor is either end told. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  #accept(client: net.Socket, server: net.Socket): void {
    this.accepted++;
    this.#sockets.push(client, server);
    for (const socket of [client, server]) socket.on("error", () => undefined);
    client.pipe(server).pipe(client);
  }
}
