// The inbox: what waits, soonest first, live, by keys, and without scripts.

import assert from 'node:assert/strict';
import { PHONE, SERVER, ask, assertAnswered, main, open, overflows, shot } from './lib.mjs';

const INBOX = `${SERVER}/`;
/** Keeps the questions of one check apart from all others. */
let checks = 0;
function own() {
  checks += 1;
  const label = { check: `c${process.pid}-${checks}` };
  return { label, address: `${INBOX}?q=${encodeURIComponent(`label:check=${label.check}`)}` };
}
const titles = (page) => page.locator('.ask').allInnerTexts();

await main({
  'what waits is listed soonest first, in groups, and opens on its question': async (browser) => {
    const { label, address } = own();
    await ask({ bool: {} }, { prompt: 'The third?', ttl: '200000s', labels: label });
    await ask({ bool: {} }, { prompt: 'The second?', ttl: '7200s', labels: label, scope: 'nightly-42' });
    const first = await ask({ int: {} }, { prompt: 'The first?\nWith more below.', ttl: '90s', labels: label });
    for (const options of [{}, { viewport: PHONE, javaScriptEnabled: false, colorScheme: 'dark' }]) {
      const { page, faults, close } = await open(browser, options);
      await page.goto(address);
      assert.deepEqual(await titles(page), ['The first?', 'The second?', 'The third?']);
      assert.deepEqual(
        (await page.locator('h2').allInnerTexts()).map((text) => text.replace(/\s+\d+$/, '')),
        ['Within the hour', 'Within a day', 'Later'],
      );
      assert.match(await page.locator('.row').nth(1).innerText(), /nightly-42/);
      assert.equal(await page.title(), '(3) Inbox');
      assert.equal(await overflows(page), false);
      await shot(page, options.viewport ? 'inbox-phone-dark' : 'inbox');
      await page.locator('.row').first().click();
      assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'The first?');
      assert.deepEqual(faults, []);
      await close();
    }
    const { page, close } = await open(browser);
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
    assert.deepEqual(await search('neither'), []);
    await page.getByText('Nothing that waits matches here').waitFor();
    await search('label:team');
    assert.match(await page.getByRole('alert').innerText(), /label:team=value/);
    await close();
  },

  'what is new waits behind a line, and what others answered is struck out, within a second': async (browser) => {
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
    assert.ok(Date.now() - begin < 1000, `it took ${Date.now() - begin} ms`);
    await ask({ bool: {} }, { prompt: 'And now?', labels: label });
    for (const { page } of readers) {
      await page.getByText('1 new, show').click();
      await page.locator('.ask', { hasText: 'And now?' }).waitFor();
      assert.deepEqual(await titles(page), ['And now?']);
    }
    await shot(readers[0].page, 'inbox-after');
    for (const { close } of readers) await close();
  },

  'the keyboard alone goes through the questions': async (browser) => {
    const { label, address } = own();
    for (const name of ['A?', 'B?', 'C?']) await ask({ bool: {} }, { prompt: name, labels: label, ttl: '3000s' });
    const { page, faults, close } = await open(browser);
    await page.goto(address);
    const at = () => page.evaluate(() => document.activeElement.querySelector('.ask')?.textContent.trim());
    for (const [key, there] of [['j', 'A?'], ['j', 'B?'], ['j', 'C?'], ['j', 'C?'], ['k', 'B?']]) {
      await page.keyboard.press(key);
      assert.equal(await at(), there);
    }
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
    await page.keyboard.type('j');
    assert.match(await page.getByRole('searchbox').inputValue(), /j$/);
    await page.locator('.row').nth(1).focus();
    await page.keyboard.press('o');
    await page.getByRole('heading', { name: 'B?' }).waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('status').waitFor();
    assert.deepEqual(faults, []);
    await close();
  },
});
