// The history: what has ended, sifted and exported, and how one event went, without scripts.

import assert from 'node:assert/strict';
import { PHONE, SERVER, ask, main, open, overflows, shot } from './lib.mjs';

async function answer(event, body) {
  const reply = await fetch(event.apiUrl, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  assert.equal(reply.status, 200);
}

await main({
  'what has ended is found by words, outcome and day, and opens on how it went': async (browser) => {
    const labels = { check: `h${process.pid}` };
    const refund = await ask({ str: {} }, { prompt: 'Refund it?', labels });
    await answer(refund, { value: '=1+1', responder: 'Ada Lovelace' });
    const deploy = await ask({ bool: {} }, { prompt: 'Deploy it?', labels });
    await answer(deploy, { decline: true, reason: 'Not mine' }).catch(() => null);
    for (const options of [{}, { viewport: PHONE, colorScheme: 'dark' }]) {
      const { page, faults, close } = await open(browser, { javaScriptEnabled: false, ...options });
      await page.goto(`${SERVER}/`);
      await page.getByRole('navigation').getByRole('link', { name: 'History' }).click();
      const search = async (text) => {
        await page.getByRole('searchbox').fill(`label:check=${labels.check} ${text}`);
        await page.getByRole('button', { name: 'Search' }).click();
        return page.locator('tbody a').allInnerTexts();
      };
      assert.deepEqual(await search('refund'), ['Refund it?']);
      assert.deepEqual(await search('person:ada'), ['Refund it?']);
      assert.deepEqual(await search('person:nobody'), []);
      assert.equal(await overflows(page), false);
      await search('');
      await shot(page, `history${options.viewport ? '-phone-dark' : ''}`);
      if (!await page.getByLabel('Outcome').isVisible()) await page.locator('.filter summary').click();
      await page.getByLabel('Outcome').selectOption('answered');
      await page.getByLabel('From').fill('2020-01-01');
      await page.getByRole('button', { name: 'Apply' }).click();
      assert.ok(!(await page.locator('.outcome').allInnerTexts()).some((text) => text.startsWith('Declined')));
      const csv = await page.request.get(new URL(await page.getByRole('link', { name: 'CSV' }).getAttribute('href'), page.url()).href);
      const text = await csv.text();
      assert.ok(text.includes(`"${refund.id}"`) && text.includes('"\'=1+1"'), text);
      const json = await page.request.get(new URL(await page.getByRole('link', { name: 'JSON' }).getAttribute('href'), page.url()).href);
      const events = await json.json();
      assert.ok(events.some((event) => event.id === refund.id && !event.formUrl));
      await page.locator('tbody a', { hasText: 'Refund it?' }).first().click();
      await page.getByRole('heading', { name: 'What happened' }).waitFor();
      await page.getByText(`hitl receipt ${refund.id}`).waitFor();
      assert.equal(await overflows(page), false);
      await shot(page, `event${options.viewport ? '-phone-dark' : ''}`);
      assert.deepEqual(faults, []);
      await close();
    }
  },
});
