// A page of another origin that calls the server by connect-web with the messages of the TypeScript package:
// connect.mjs SERVER PORT TOKEN, where the server allows the page at PORT.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { LIMIT, SERVER, main } from './lib.mjs';

const [PORT, TOKEN] = process.argv.slice(3);
const PAGE = '<!doctype html><title>page</title><script type="module" src="/page.js"></script>';
const PACKAGE = new URL('../../sdk/typescript/', import.meta.url);
const ANSWER = '9007199254740993';

/** The source of what a page gets that imports `hitl-sdk/v1`. */
function browserSafe() {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', PACKAGE)));
  const built = exports['./v1'].default;
  return fileURLToPath(new URL(built.replace('./dist/', './src/').replace(/\.js$/, '.ts'), PACKAGE));
}

/** The page's script in one piece. It fails if anything of node is in it. */
async function bundle() {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [here('connect/page.mjs')],
    alias: { 'hitl-sdk/v1': browserSafe() },
    // The package's own are there only where it is developed.
    nodePaths: [here('node_modules')],
    platform: 'browser', format: 'esm', bundle: true, write: false,
  });
  return outputFiles[0].text;
}

function serve(script) {
  const server = createServer((request, reply) => {
    const isScript = request.url === '/page.js';
    reply.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    reply.end(isScript ? script : PAGE);
  });
  return new Promise((resolve) => server.listen(Number(PORT), '127.0.0.1', () => resolve(server)));
}

/** What `body` comes to in a page at `origin`, once the page's script is there. */
async function inPage(browser, origin, body, ...args) {
  const context = await browser.newContext();
  context.setDefaultTimeout(LIMIT);
  try {
    const page = await context.newPage();
    await page.goto(origin);
    await page.waitForFunction(() => 'clientOf' in globalThis);
    return await page.evaluate(body, args);
  } finally {
    await context.close();
  }
}

/** Runs in the page: asks by a unary call, answers when the stream has begun, and reads. */
async function life([protocol, server, token, answer]) {
  const client = globalThis.clientOf(protocol, server, token);
  const input = { kind: { case: 'int', value: { min: 0n } } };
  const asked = { name: 'page', prompt: 'How many?', input: input, allowSelfAnswer: true };
  const { event } = await client.createEvent(asked);
  const values = [];
  for await (const { update } of client.waitEvent({ eventId: event.id })) {
    if (update.case !== 'event') continue;
    values.push(String(update.value.response?.value?.kind?.value));
    if (values.length > 1) continue;
    const value = { kind: { case: 'int', value: BigInt(answer) } };
    await client.answerEvent({ eventId: event.id, answer: { case: 'value', value } });
  }
  const read = await client.getEvent({ eventId: event.id });
  return [...values, String(read.event.response.value.kind.value)];
}

/** Runs in the page: how a call fails. */
async function failure([protocol, server, token]) {
  const client = globalThis.clientOf(protocol, server, token);
  return client.listEvents({}).then(() => 'it did not', (error) => error.code);
}

const UNAUTHENTICATED = 16;
const UNKNOWN = 2;
const server = await serve(await bundle());
const checks = {};
for (const protocol of ['connect', 'grpc-web']) {
  checks[`a page asks, waits on a stream and reads by ${protocol}`] = async (browser) => {
    const values = await inPage(browser, `http://127.0.0.1:${PORT}/`, life, protocol, SERVER, TOKEN, ANSWER);
    assert.deepEqual(values, ['undefined', ANSWER, ANSWER]);
  };
  checks[`a page reads why its token is refused by ${protocol}`] = async (browser) => {
    const code = await inPage(browser, `http://127.0.0.1:${PORT}/`, failure, protocol, SERVER, 'hitl_wrong');
    assert.equal(code, UNAUTHENTICATED);
  };
}
checks['a page of an origin that is not allowed gets nothing'] = async (browser) => {
  const code = await inPage(browser, `http://localhost:${PORT}/`, failure, 'connect', SERVER, TOKEN);
  assert.equal(code, UNKNOWN);
};
await main(checks);
server.closeAllConnections();
server.close();
