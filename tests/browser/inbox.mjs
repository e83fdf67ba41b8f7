// The inbox: what waits, soonest first, live, by keys, beside the list, many at once, and without scripts.

import assert from 'node:assert/strict';
import { PHONE, SERVER, ask, assertAnswered, assertPending, main, open, overflows, read, shot } from './lib.mjs';

const INBOX = `${SERVER}/`;
/** Too narrow for a question beside the list. */
const NARROW = { width: 900, height: 800 };
/** Keeps the questions of one check apart from all others. */
let checks = 0;
function own() {
  checks += 1;
  const label = { check: `c${process.pid}-${checks}` };
  return { label, address: `${INBOX}?q=${encodeURIComponent(`label:check=${label.check}`)}` };
}
const titles = (page) => page.locator('.ask bdi').allInnerTexts();
/** Until the question beside the list is the one called `title`. */
const isOpen = (page, title) => page.locator('.pane').getByRole('heading', { name: title, level: 1 }).waitFor();

await main({
  'what waits is listed soonest first, in groups, and opens on its question': async (browser) => {
    const { label, address } = own();
    await ask({ bool: {} }, { prompt: 'The third?', ttl: '200000s', labels: label });
    await ask({ bool: {} }, { prompt: 'The second?', ttl: '7200s', labels: label, scope: 'nightly-42' });
    const first = await ask({ int: {} }, { prompt: 'The first?\nWith more below.', ttl: '90s', labels: label });
    for (const options of [{ viewport: NARROW }, { viewport: PHONE, javaScriptEnabled: false, colorScheme: 'dark' }]) {
      const { page, faults, close } = await open(browser, options);
      await page.goto(address);
      assert.deepEqual(await titles(page), ['The first?', 'The second?', 'The third?']);
      assert.deepEqual(
        (await page.locator('.group').allInnerTexts()).map((text) => text.replace(/\s+\d+$/, '')),
        ['Within the hour', 'Within a day', 'Later'],
      );
      assert.match(await page.locator('.row').nth(1).innerText(), /nightly-42/);
      assert.equal(await page.title(), '(3) Inbox');
      assert.equal(await overflows(page), false);
      await shot(page, options.colorScheme ? 'inbox-phone-dark' : 'inbox');
      await page.locator('.row').first().click();
      assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'The first?');
      assert.deepEqual(faults, []);
      await close();
    }
    const { page, close } = await open(browser, { viewport: NARROW });
    await page.goto(address);
    await page.locator('.row').first().click();
    await page.locator('[name=value]').fill('7');
    await page.locator('button.send').click();
    await page.getByRole('status').waitFor();
    await assertAnswered(first, { int: '7' });
    await page.getByRole('link', { name: 'Back to the inbox' }).click();
    assert.equal(page.url(), INBOX);
    await page.goto(address);
    assert.deepEqual(await titles(page), ['The second?', 'The third?']);
    await close();
  },

  'a search looks for words and fields, and says what it does not understand': async (browser) => {
    const { label, address } = own();
    await ask({ bool: {} }, { prompt: 'Deploy the **API**?', promptFormat: 'PROMPT_FORMAT_MARKDOWN', labels: label });
    await ask({ bool: {} }, { prompt: 'Refund it?', labels: { ...label, team: 'payments' }, scope: 'order-8841' });
    const { page, close } = await open(browser, { javaScriptEnabled: false });
    await page.goto(address);
    const search = async (text) => {
      await page.getByRole('searchbox').fill(`label:check=${label.check} ${text}`);
      await page.getByRole('button', { name: 'Search' }).click();
      return titles(page);
    };
    assert.deepEqual(await search('api'), ['Deploy the API?']);
    assert.deepEqual(await search('label:team=payments'), ['Refund it?']);
    assert.deepEqual(await search('run:order-8841 REFUND'), ['Refund it?']);
    assert.deepEqual(await search('risk:high'), []);
    assert.deepEqual(await search('due:<2h kind:bool api'), ['Deploy the API?']);
    assert.deepEqual(await search('neither'), []);
    await page.getByText('Nothing that waits matches here').waitFor();
    await search('label:team');
    assert.match(await page.getByRole('alert').innerText(), /label:team=value/);
    await close();
  },

  'what is new waits behind a line, and what others answered is struck out': async (browser) => {
    const { label, address } = own();
    const event = await ask({ bool: {} }, { prompt: 'Is it there?', labels: label });
    const readers = await Promise.all([open(browser), open(browser), open(browser)]);
    for (const { page } of readers) {
      const listening = page.waitForResponse((reply) => reply.url().includes('inbox/changes'));
      await page.goto(address);
      await listening;
    }
    const begin = Date.now();
    const answer = await fetch(event.apiUrl, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"value": true}',
    });
    assert.equal(answer.status, 200);
    for (const { page } of readers) await page.locator('.gone', { hasText: 'Is it there?' }).waitFor();
    console.log(`three readers saw an answer after ${Date.now() - begin} ms`);
    await ask({ bool: {} }, { prompt: 'And now?', labels: label });
    for (const { page } of readers) {
      await page.getByText('1 new, show').click();
      await page.locator('.ask', { hasText: 'And now?' }).waitFor();
      assert.deepEqual(await titles(page), ['And now?']);
    }
    await shot(readers[0].page, 'inbox-after');
    for (const { close } of readers) await close();
  },

  'filter and order stand in the address and work without scripts': async (browser) => {
    const { label, address } = own();
    await ask({ bool: {} }, { prompt: 'Low?', labels: label, ttl: '100s', scope: 'r1' });
    await ask({ int: {} }, { prompt: 'High?', labels: label, ttl: '3000s', risk: 'RISK_HIGH', scope: 'r1' });
    const { page, close } = await open(browser, { javaScriptEnabled: false });
    await page.goto(address);
    assert.deepEqual(await titles(page), ['Low?', 'High?']);
    await page.locator('.filter summary').click();
    await page.getByLabel('First').selectOption('Highest risk');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.waitForURL(/sort=risk/);
    // The order by risk needs an index, which is made when somebody first asks for it.
    for (let tries = 0; tries < 50 && (await titles(page))[0] !== 'High?'; tries += 1) await page.reload();
    assert.deepEqual(await titles(page), ['High?', 'Low?']);
    await page.getByLabel('Groups').selectOption('By run');
    await page.getByLabel('Answer', { exact: true }).selectOption('Number');
    await page.getByRole('button', { name: 'Apply' }).click();
    assert.deepEqual(await titles(page), ['High?']);
    assert.match(await page.locator('.group').innerText(), /Run r1/);
    await close();
  },

  'a question is answered beside the list, can be taken back for five seconds, and the next one follows': async (browser) => {
    const { label, address } = own();
    const events = [];
    for (const name of ['A?', 'B?', 'C?']) {
      events.push(await ask({ bool: {} }, { name, prompt: name, labels: label, ttl: `${3000 + events.length}s` }));
    }
    const { page, faults, close } = await open(browser, { viewport: { width: 1280, height: 800 } });
    await page.goto(address);
    await isOpen(page, 'A?');
    await page.keyboard.press('j');
    await isOpen(page, 'B?');
    await page.keyboard.press('k');
    await isOpen(page, 'A?');
    await page.keyboard.press('1');
    await page.keyboard.press('Control+Enter');
    await page.locator('.toast', { hasText: 'Sends Yes' }).waitFor();
    await isOpen(page, 'B?');
    await assertPending(events[0]);
    await page.keyboard.press('z');
    await isOpen(page, 'A?');
    assert.equal(await page.locator('.toast').isVisible(), false);
    // What was picked is still picked, and is sent when the next answer is.
    assert.equal(await page.locator('.pane').getByRole('radio', { name: 'Yes' }).isChecked(), true);
    await page.keyboard.press('Control+Enter');
    await isOpen(page, 'B?');
    await page.keyboard.press('2');
    await page.keyboard.press('Control+Enter');
    await page.locator('.gone', { hasText: 'A?' }).waitFor();
    await assertAnswered(events[0], { bool: true });
    await isOpen(page, 'C?');
    // Whoever leaves the page sends what is held.
    await page.goto('about:blank');
    for (let tries = 0; tries < 100 && (await read(events[1])).state === 'EVENT_STATE_PENDING'; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await assertAnswered(events[1], { bool: false });
    await assertPending(events[2]);
    assert.deepEqual(faults, []);
    await close();
  },

  'high risk is sent at once and only with the consent, and a wrong answer comes back': async (browser) => {
    const { label, address } = own();
    const event = await ask({ bool: {} }, { prompt: 'Really?', labels: label, risk: 'RISK_HIGH' });
    const number = await ask({ int: { max: '9' } }, { name: 'n', prompt: 'How many?', labels: label, ttl: '3600s' });
    const { page, close } = await open(browser, { viewport: { width: 1280, height: 800 } });
    await page.goto(address);
    await isOpen(page, 'Really?');
    await page.keyboard.press('1');
    await page.keyboard.press('Control+Enter');
    await assertPending(event);
    await page.locator('.pane').getByRole('checkbox').check();
    await page.keyboard.press('Control+Enter');
    await page.locator('.gone', { hasText: 'Really?' }).waitFor();
    await assertAnswered(event, { bool: true });
    await isOpen(page, 'How many?');
    await page.locator('.pane [name=value]').fill('12');
    await page.keyboard.press('Control+Enter');
    await page.locator('.pane').getByText('At most 9. You wrote 12.').first().waitFor();
    assert.equal(await page.locator('.pane [name=value]').inputValue(), '12');
    await assertPending(number);
    await close();
  },

  'keys go to search, help and ticks, and can be turned off': async (browser) => {
    const { label, address } = own();
    for (const name of ['A?', 'B?']) await ask({ bool: {} }, { name, prompt: name, labels: label });
    const { page, faults, close } = await open(browser, { viewport: { width: 1280, height: 800 } });
    await page.goto(address);
    await isOpen(page, 'A?');
    await page.keyboard.press('x');
    assert.equal(await page.locator('[name=e]:checked').count(), 1);
    await page.getByRole('button', { name: 'Answer the ticked ones together' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await shot(page, 'inbox-keys');
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
    await page.keyboard.type('j');
    assert.match(await page.getByRole('searchbox').inputValue(), /j$/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL(/settings$/);
    await page.getByLabel('Single keys').selectOption('Off');
    await page.getByLabel('Theme').selectOption('Dark');
    await page.getByRole('button', { name: 'Keep' }).click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.goto(address);
    await isOpen(page, 'A?');
    await page.keyboard.press('?');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.deepEqual(faults, []);
    await close();
  },

  'questions that are alike are one row, and are answered together without scripts': async (browser) => {
    const { label, address } = own();
    const alike = (order, more = {}) => ask({ bool: { trueLabel: 'Refund', falseLabel: 'Refuse' } }, {
      name: `refund ${label.check}`, prompt: 'Refund this order?', labels: label, risk: 'RISK_MEDIUM',
      evidence: [{ title: 'Order', facts: { facts: [{ label: 'Order', value: order }, { label: 'Currency', value: 'EUR' }] } }],
      ...more,
    });
    const events = [];
    for (const order of ['8841', '8852', '8853']) events.push(await alike(order));
    const high = await alike('1', { risk: 'RISK_HIGH' });
    for (const options of [{ javaScriptEnabled: false }]) {
      const { page, faults, close } = await open(browser, options);
      await page.goto(address);
      assert.equal(await page.locator('.many .badge').innerText(), '3');
      await page.locator('.many .row').click();
      assert.deepEqual(await page.locator('tbody td:nth-child(3)').allInnerTexts(), ['8841', '8852', '8853']);
      assert.equal(await page.locator('thead').getByText('Currency').count(), 0);
      assert.equal(await overflows(page), false);
      await shot(page, 'bulk');
      await page.locator('tbody tr', { hasText: '8853' }).getByRole('checkbox').uncheck();
      await page.getByRole('radio', { name: 'Refund' }).check();
      // Somebody else is quicker with one of them.
      const quick = await fetch(events[1].apiUrl, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"value": false}',
      });
      assert.equal(quick.status, 200);
      await page.getByRole('button', { name: 'Send to all that are ticked' }).click();
      await page.getByRole('heading', { name: '1 of 2 answers were recorded' }).waitFor();
      await page.locator('tr', { hasText: 'had ended before' }).waitFor();
      await assertAnswered(events[0], { bool: true });
      await assertAnswered(events[1], { bool: false });
      await assertPending(events[2]);
      await assertPending(high);
      await shot(page, 'bulk-done');
      assert.deepEqual(faults, []);
      await close();
    }
  },
});
