// People sign in with a real provider in a real browser. `node sign-in.mjs SERVER PORT`: the provider runs on that port.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const [SERVER, PORT] = process.argv.slice(2);
const ISSUER = `http://127.0.0.1:${PORT}`;
const SECRET = 'another secret';

let provider;

async function startProvider() {
  provider = spawn('node', ['provider.mjs', PORT, SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [said] = await once(provider.stdout, 'data');
  assert.equal(`${said}`.trim(), 'ready');
}

async function killProvider() {
  provider.kill('SIGKILL');
  await once(provider, 'exit');
}

/** A JWT of a program that calls in its own name. */
async function programToken() {
  const reply = await fetch(`${ISSUER}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`pipeline:${encodeURIComponent(SECRET)}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  return (await reply.json()).access_token;
}

/** What the API replies to a program with this token. */
function call(token, path, body) {
  return fetch(`${SERVER}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
}

async function ask(token) {
  const question = { name: 'Release 7', prompt: 'Is it good?', input: { bool: {} }, ttl: '3000s' };
  const reply = await call(token, '/v1/events', question);
  const { event } = await reply.json();
  assert.equal(reply.status, 200);
  return event;
}

async function read(token, event) {
  const reply = await call(token, `/v1/events/${event.id}`);
  return (await reply.json()).event;
}

/** From our page to the provider's, and back. */
async function signIn(page, who) {
  await page.getByRole('link', { name: 'Sign in with' }).click();
  await page.waitForURL(`${ISSUER}/**`);
  if (who) {
    await page.locator('[name=login]').fill(who);
    await page.locator('[name=password]').fill('any');
    await page.locator('[type=submit]').click();
    const consent = page.locator('[type=submit]');
    await consent.click();
  }
  await page.waitForURL(`${SERVER}/**`);
}

const heading = (page) => page.locator('h1').innerText();

/** What the page about the account says. */
async function whoIsIn(page) {
  await page.goto(`${SERVER}/account`);
  return heading(page);
}

async function isSignedOut(page) {
  await page.goto(SERVER);
  return (await heading(page)) === 'Sign in';
}

const checks = {
  async 'a person signs in, answers, and is named by the record'(browser) {
    const token = await programToken();
    const event = await ask(token);
    const context = await browser.newContext();
    const page = await context.newPage();
    const seen = [];
    page.on('framenavigated', (frame) => seen.push(frame.url()));
    await page.goto(`${SERVER}/events/default/${event.id}`);
    assert.equal(await heading(page), 'Sign in');
    await signIn(page, 'ann');
    assert.equal(page.url(), `${SERVER}/events/default/${event.id}`);
    await page.getByText('You answer as Ann Lee').waitFor();
    await page.getByRole('radio', { name: 'Yes' }).check();
    await page.locator('button.send').click();
    assert.equal(await heading(page), 'Answered');
    await page.getByText('by Ann Lee, who had signed in').waitFor();
    const { state, response } = await read(token, event);
    assert.equal(state, 'EVENT_STATE_ANSWERED');
    assert.equal(response.value.bool, true);
    assert.equal(response.responder.knownBy, 'CREDENTIAL_KIND_PERSON');
    assert.equal(response.responder.principal, 'Ann Lee');
    assert.ok(!seen.some((url) => url.includes('code=')), `the history has a code: ${seen}`);
    const cookies = await context.cookies(SERVER);
    const session = cookies.find((cookie) => cookie.name.startsWith('hitl-session'));
    assert.deepEqual([session.httpOnly, session.sameSite], [true, 'Lax']);
    await context.close();
  },

  async 'a form without the token of its session is refused'(browser) {
    const token = await programToken();
    const event = await ask(token);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${SERVER}/events/default/${event.id}`);
    await signIn(page, 'ann');
    await page.locator('form:has(button.send) [name=form_token]').evaluate((input) => { input.value = 'forged'; });
    await page.getByRole('radio', { name: 'Yes' }).check();
    await page.locator('button.send').click();
    assert.equal(await heading(page), 'Nothing was recorded');
    assert.equal((await read(token, event)).state, 'EVENT_STATE_PENDING');
    await context.close();
  },

  async 'a person of another group is let in nowhere'(browser) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(SERVER);
    await signIn(page, 'bob');
    assert.equal(await heading(page), 'You may not do anything here');
    assert.ok(await isSignedOut(page));
    await context.close();
  },

  async 'who signs out is out everywhere, even with a copy of the cookie'(browser) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(SERVER);
    await signIn(page, 'ann');
    assert.equal(await whoIsIn(page), 'You are Ann Lee');
    const copy = await context.storageState();
    await page.getByRole('button', { name: 'Sign out' }).click();
    assert.equal(await heading(page), 'You are signed out');
    assert.ok(await isSignedOut(page));
    const thief = await browser.newContext({ storageState: copy });
    assert.ok(await isSignedOut(await thief.newPage()));
    await thief.close();
    await context.close();
  },

  async 'who signs out at the provider is out here within five seconds'(browser) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(SERVER);
    await signIn(page, 'ann');
    assert.equal(await whoIsIn(page), 'You are Ann Lee');
    await page.goto(`${ISSUER}/session/end`);
    await page.getByRole('button', { name: 'Yes' }).click();
    const out = Date.now();
    while (!(await isSignedOut(page))) {
      assert.ok(Date.now() - out < 5_000, 'the session goes on');
      await pause(100);
    }
    await context.close();
  },

  async 'a session outlives its provider, and whoever is new is told'(browser) {
    const [old, fresh] = [await browser.newContext(), await browser.newContext()];
    const [page, other] = [await old.newPage(), await fresh.newPage()];
    await page.goto(SERVER);
    await signIn(page, 'ann');
    await killProvider();
    assert.equal(await whoIsIn(page), 'You are Ann Lee');
    // That the provider was there is believed for so long.
    await pause(2_100);
    await other.goto(SERVER);
    await other.getByRole('link', { name: 'Sign in with' }).click();
    assert.equal(await heading(other), 'Signing in does not work just now');
    await other.goto(`${SERVER}/sign-in/callback?code=x&state=y`);
    assert.equal(await heading(other), 'You are not signed in');
    await startProvider();
    await old.close();
    await fresh.close();
  },

  async 'the new keys of a provider are taken at once'() {
    // The provider has started again since the last token of a program.
    const event = await ask(await programToken());
    assert.equal(event.state, 'EVENT_STATE_PENDING');
  },

  async 'a token that is not the provider\'s opens nothing'() {
    const [head, claims, proof] = (await programToken()).split('.');
    const forged = btoa(JSON.stringify({ ...JSON.parse(atob(claims)), sub: 'other' })).replace(/=+$/, '');
    for (const bad of [`${head}.${forged}.${proof}`, `${head}.${claims}.`, 'x', '']) {
      const reply = await call(bad, '/v1/events');
      assert.equal(reply.status, 401, bad);
      assert.match(reply.headers.get('www-authenticate'), /^Bearer/);
    }
  },
};

await startProvider();
const browser = await chromium.launch({
  executablePath: process.env.HITL_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
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
provider.kill();
console.log(`${Object.keys(checks).length} checks, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
