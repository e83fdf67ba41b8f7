// What every script needs: the server, the browser, events, and a list of checks that is run and reported.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const SERVER = process.argv[2];
const SHOTS = process.env.HITL_TEST_SCREENSHOTS;
const LAUNCH = {
  executablePath: process.env.HITL_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-quic',
  ],
};
/** Longest that one action may take, in ms: other tests run beside it, on as little as two cores. */
export const LIMIT = 90_000;
export const DESK = { width: 1100, height: 800 };
export const PHONE = { width: 360, height: 740 };

async function call(path, init) {
  const reply = await fetch(`${SERVER}${path}`, init);
  const body = await reply.json();
  assert.equal(reply.status, 200, `${path}: ${JSON.stringify(body)}`);
  return body.event;
}

/** An event that wants `input`. */
export function ask(input, more = {}) {
  const body = { name: 'Release 7', prompt: 'What is it?', input, ttl: '3000s', ...more };
  return call('/v1/events', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** The event as it stands. */
export const read = (event) => call(`/v1/events/${event.id}`);

export async function assertPending(event) {
  assert.equal((await read(event)).state, 'EVENT_STATE_PENDING');
}

/** Checks that `event` was answered with `value`, in canonical JSON. */
export async function assertAnswered(event, value) {
  const { state, response } = await read(event);
  assert.equal(state, 'EVENT_STATE_ANSWERED');
  assert.deepEqual(response.value, value);
}

/**
 * A page in a context of its own, which notes whatever a page of ours must never do: run a script, log, open a dialog,
 * break the content policy, or ask another origin for anything.
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESK, ...options });
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`script error: ${error}`));
  page.on('dialog', (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('popup', (popup) => faults.push(`popup: ${popup.url()}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${SERVER}/`) && !url.startsWith('data:')) faults.push(`request: ${url}`);
  });
  return { context, page, faults, close: () => context.close() };
}

/** The heading of a question that somebody has answered. */
export const ENDED = /answered|recorded/i;

export async function shot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Whether the page is wider than its window. */
export const overflows = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** Runs every check in one browser, says how each went, and ends the process with the outcome of all. */
export async function main(checks) {
  const browser = await chromium.launch(LAUNCH);
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const begin = Date.now();
    try {
      await check(browser);
      console.log(`ok    ${name} (${Date.now() - begin} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL  ${name}\n${error.stack ?? error}`);
    }
  }
  await browser.close();
  console.log(`${Object.keys(checks).length} browser checks, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
