/** A server over HTTP/2 that does as a test says, and notes who called. */

import { once } from "node:events";
import http2 from "node:http2";
import type net from "node:net";
import type { TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import * as v1 from "../src/v1.js";

type Got = MessageInitShape<typeof v1.EventSchema>;

/** What the server answers with. Each may throw. */
export interface Replies {
  get?: (eventId: string) => Got;
  list?: (pageToken: string) => MessageInitShape<typeof v1.ListEventsResponseSchema>;
  /** How the event ends that is waited for. */
  wait?: () => Got;
}

/** Where it serves, and the header `authorization` of each call, empty if there was none; and all headers. */
export async function served(t: TestContext, replies: Replies, tls?: http2.SecureServerOptions) {
  const credentials: string[] = [];
  const created: v1.CreateEventRequest[] = [];
  const headers: Headers[] = [];
  const note = ({ requestHeader }: { requestHeader: Headers }) => {
    credentials.push(requestHeader.get("authorization") ?? "");
    headers.push(requestHeader);
  };
  const handler = connectNodeAdapter({
    routes: ({ service }) => {
      service(v1.EventService, {
        getEvent: ({ eventId }, context) => {
          note(context);
          return { event: replies.get?.(eventId) ?? { id: eventId } };
        },
        // Gives the key back as the id, for tests to see.
        createEvent: (request, context) => {
          note(context);
          created.push(request);
          return { event: { id: request.idempotencyKey, name: request.name } };
        },
        listEvents: ({ pageToken }) => replies.list?.(pageToken) ?? {},
        async *waitEvents(_, context) {
          note(context);
          const value = replies.wait?.();
          if (value) yield { update: { case: "event", value } };
          await new Promise((ended) => { context.signal.addEventListener("abort", ended); });
        },
      });
    },
  });
  const server = tls ? http2.createSecureServer(tls, handler) : http2.createServer(handler);
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => { sessions.add(session); });
  server.listen(0, "localhost");
  await once(server, "listening");
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  return { endpoint: `${tls ? "https" : "http"}://localhost:${port}`, credentials, created, headers };
}
