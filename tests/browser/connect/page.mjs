// What pages import that call a server by themselves; `connect.mjs` says what they do with it.

import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { EventService } from 'hitl-sdk/v1';

const TRANSPORTS = { connect: createConnectTransport, 'grpc-web': createGrpcWebTransport };

/** A client of the server at `baseUrl`, with a token. */
globalThis.clientOf = (protocol, baseUrl, token) => {
  const signs = (next) => (request) => {
    request.header.set('authorization', `Bearer ${token}`);
    return next(request);
  };
  return createClient(EventService, TRANSPORTS[protocol]({ baseUrl, interceptors: [signs] }));
};
