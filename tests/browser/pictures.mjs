// Every page in every state, in both themes, on a desk and on a phone: looked at by axe-core, and kept as a picture.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { SERVER, ask, main, open, overflows } from './lib.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OUT = process.env.HITL_PICTURES;
/** What the documentation has; all pictures are kept if HITL_PICTURES_ALL is set. */
const KEPT = /^(inbox|form|bulk|history|settings|event)-(desk-light|phone-dark)$/;
const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
// Pictures are of a server that has nothing else; in tests others may ask meanwhile.
const label = OUT ? { team: 'payments' } : { team: 'payments', check: `p${process.pid}` };
const own = OUT ? '' : encodeURIComponent(`label:check=${label.check}`);
const INBOX = `${SERVER}/?q=${own}`;

const options = (names) => ({ choice: { options: names.map((name) => ({ value: name.toLowerCase(), label: name })) } });
const asked = {};

async function prepare() {
  const say = (key, input, more) => ask(input, { labels: label, ...more }).then((event) => { asked[key] = event; });
  await say('deploy', { bool: { trueLabel: 'Deploy now', falseLabel: 'Do not deploy' } }, {
    name: 'deploy', title: 'Deploy v2.41.0 to production?', scope: 'nightly-4711', ttl: '1440s', risk: 'RISK_HIGH', labels: { ...label, env: 'production' },
    prompt: 'The canary has been healthy for an hour [[B]]. One migration drops a column [[C]].',
    evidence: [
      { title: 'Release', facts: { facts: [{ label: 'Version', value: 'v2.41.0' }, { label: 'Changes', value: '23 commits by 6 people' }, { label: 'Author', value: 'Margaret Hamilton' }] } },
      { title: 'Canary', table: { columns: ['Region', 'Orders', 'Errors', 'p99'], rows: [{ cells: ['eu-central-1', '1,204', '0.12%', '181 ms'] }, { cells: ['us-east-1', '702', '0.14%', '203 ms'] }] } },
      { title: 'Migration', note: '0142_orders.sql', diff: { texts: { before: 'BEGIN;\nALTER TABLE orders RENAME COLUMN legacy_total TO old;\nCOMMIT;\n', after: 'BEGIN;\nALTER TABLE orders DROP COLUMN legacy_total;\nCOMMIT;\n' } } },
    ],
    onTimeout: { defaultValue: { bool: false } },
  });
  await say('replicas', { int: { min: '0', max: '40' } }, { name: 'replicas', title: 'How many replicas should I add to web-api?', scope: 'incident-318', ttl: '540s', risk: 'RISK_MEDIUM', prompt: 'web-api is at 82% of its processors and at its maximum of 12.' });
  await say('merge', options(['Merge', 'Close', 'Ask me later']), { name: 'merge', title: 'Merge #4127: pin the base image', ttl: '100s', prompt: 'All checks are green.' });
  for (const [order, amount] of [['8841', '119.00 EUR'], ['8852', '89.90 EUR'], ['8853', '1,240.00 EUR'], ['8860', '45.00 EUR']]) {
    await say(`refund${order}`, { bool: { trueLabel: 'Refund', falseLabel: 'Refuse' } }, {
      name: 'refund', title: 'Refund this order?', prompt: 'It was damaged in transit.', ttl: '8000s', scope: `order-${order}`,
      evidence: [{ title: 'Order', facts: { facts: [{ label: 'Order', value: order }, { label: 'Amount', value: amount }, { label: 'Currency', value: 'EUR' }] } }],
    });
  }
  await say('maintenance', { str: { format: 'STR_FORMAT_DATE_TIME' } }, { name: 'maintenance', title: 'When may the maintenance of the database begin?', prompt: 'It takes about an hour.', ttl: '400000s' });
  await say('fields', { object: { jsonSchema: JSON.stringify({ type: 'object', properties: {
    name: { type: 'string', title: 'Full name', description: 'As in the passport' }, age: { type: 'integer', title: 'Age', minimum: 0 },
    member: { type: 'boolean', title: 'Member' }, colour: { type: 'string', title: 'Colour', enum: ['Red', 'Green'] } }, required: ['name', 'age'] }) } },
  { name: 'fields', title: 'Fill in the change request for the network window', prompt: 'All four are printed on the badge.', ttl: '500000s' });
  for (const [key, title, body] of [['answered', 'Which region should take the traffic?', { value: 'europe', responder: 'Ada Lovelace' }], ['answered2', 'Rotate the signing key now?', { value: 'no', responder: 'Grace Hopper' }]]) {
    await say(key, options(['Europe', 'America', 'No']), { name: 'region', title, prompt: 'The drill begins at noon.', scope: 'drill-9' });
    await fetch(asked[key].apiUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }
}

const opened = (key) => `${SERVER}/events/${asked[key].namespace}/${asked[key].id}`;
// Name, address, and what is done there before it is looked at.
const pages = [
  ['inbox', () => INBOX, async (page) => {
    if (!await page.locator('.pane').isVisible()) return;
    await page.locator('.row', { hasText: 'Deploy' }).click();
    await page.locator('.pane').getByRole('heading', { name: 'Deploy', level: 1 }).waitFor();
  }],
  ['inbox-filter', () => `${INBOX}&sort=risk`, async () => {}],
  ['inbox-empty', () => `${SERVER}/?q=nothing-of-this-kind`, async () => {}],
  ['inbox-wrong', () => `${SERVER}/?q=risk%3Ahuge`, async () => {}],
  ['bulk', () => `${SERVER}/bulk?like=${asked.refund8841.namespace}/${asked.refund8841.id}`, async () => {}],
  ['form', () => opened('deploy'), async () => {}],
  ['form-picked', () => opened('deploy'), async (page) => { await page.getByRole('radio').first().check(); }],
  ['form-wrong', () => opened('replicas'), async (page) => {
    await page.locator('form[data-draft] [name=value]').first().fill('120');
    await page.locator('button.send').click();
    await page.getByRole('alert').waitFor();
  }],
  ['form-choice', () => opened('merge'), async () => {}],
  ['form-moment', () => opened('maintenance'), async (page) => {
    await page.locator('input[type=date]').fill('2026-12-06');
    await page.locator('input[type=time]').fill('02:00');
  }],
  ['form-fields', () => opened('fields'), async () => {}],
  ['form-decline', () => opened('replicas'), async (page) => { await page.locator('.decline summary').click(); }],
  ['event', () => opened('answered'), async () => {}],
  ['link', () => asked.merge.formUrl, async () => {}],
  ['link-unknown', () => `${asked.merge.formUrl.slice(0, -4)}AAAA`, async () => {}],
  ['history', () => `${SERVER}/history?q=${own}`, async () => {}],
  ['history-empty', () => `${SERVER}/history?q=nothing-of-this-kind`, async () => {}],
  ['audit', () => `${SERVER}/audit`, async () => {}],
  ['settings', () => `${SERVER}/settings`, async () => {}],
];

/** How much of the page has moved by itself since it was opened. */
const shifted = (page) => page.evaluate(() => new Promise((resolve) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) sum += entry.value; });
  const observer = new PerformanceObserver(add);
  observer.observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => { add({ getEntries: () => observer.takeRecords() }); resolve(sum); }));
}));

const wrong = [];
async function look(page, name) {
  const moved = await shifted(page);
  if (moved > 0.02) wrong.push(`${name}: ${moved} of it has moved`);
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const { id, nodes } of found.violations) {
    wrong.push(`${name}: ${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any.map((one) => one.message).join('; ').slice(0, 200)}`).join(' | ')}`);
  }
  if (await overflows(page)) wrong.push(`${name}: scrolls sideways`);
  if (!OUT || !(process.env.HITL_PICTURES_ALL || KEPT.test(name))) return;
  mkdirSync(OUT, { recursive: true });
  await page.screenshot({ path: `${OUT}/${name}.png` });
}

await main({
  'every page in every state has nothing that axe-core minds, and fits': async (browser) => {
    await prepare();
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark']) {
        const { page, close } = await open(browser, { viewport, colorScheme });
        for (const [name, address, act] of pages) {
          await page.goto(address());
          await act(page);
          await look(page, `${name}-${size}-${colorScheme}`);
        }
        await close();
      }
    }
    assert.deepEqual(wrong, []);
  },

  'a form has at most 14 kB and an inbox of a hundred questions 40 kB': async () => {
    const many = `m${process.pid}`;
    const questions = Array.from({ length: 100 }, (_, n) => ask({ bool: {} }, {
      name: `deploy-${n}`, prompt: `Deploy v2.41.${n} to production, now that the canary is healthy?`, labels: { many }, scope: `nightly-${4000 + n}`,
    }));
    const [first] = await Promise.all(questions);
    const size = async (address) => gzipSync(await (await fetch(address)).text()).length;
    const [form, inbox] = [await size(first.formUrl), await size(`${SERVER}/?q=label:many=${many}`)];
    assert.ok(form <= 14 * 1024, `the form has ${form} bytes`);
    assert.ok(inbox <= 40 * 1024, `the inbox has ${inbox} bytes`);
    console.log(`      form ${form} bytes, inbox of 100 ${inbox} bytes, compressed`);
  },
});
