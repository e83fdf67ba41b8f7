// The page of the audit: who was refused, without scripts, in both themes and on a phone.

import assert from 'node:assert/strict';
import { PHONE, SERVER, main, open, overflows, shot } from './lib.mjs';

const AUDIT = `${SERVER}/audit`;

/** Has somebody be refused, and waits until the page says so. */
async function refuse() {
  assert.equal((await fetch(`${SERVER}/form/x/y`)).status, 404);
  for (;;) {
    const text = await (await fetch(AUDIT)).text();
    if (text.includes('the link is not valid')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await main({
  'the audit is read and sifted without scripts, in both themes and on a phone': async (browser) => {
    await refuse();
    for (const options of [{}, { colorScheme: 'dark' }, { viewport: PHONE }, { viewport: PHONE, colorScheme: 'dark' }]) {
      const { page, faults, close } = await open(browser, { javaScriptEnabled: false, ...options });
      await page.goto(`${SERVER}/`);
      await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).click();
      assert.equal(page.url(), AUDIT);
      assert.equal(await page.title(), 'Audit');
      assert.equal(await overflows(page), false);
      await shot(page, `audit${options.viewport ? '-phone' : ''}${options.colorScheme ? '-dark' : ''}`);
      await page.getByLabel('Kind').selectOption('settings');
      await page.getByRole('button', { name: 'Show' }).click();
      assert.equal(await page.getByText('the link is not valid').count(), 0);
      assert.match(await page.getByRole('row').last().innerText(), /settings[^]*asks nobody for a credential/);
      assert.equal(await page.getByLabel('Kind').inputValue(), 'settings');
      await page.getByLabel('Kind').selectOption('refusal');
      await page.getByLabel('Namespace').fill('none-of-this-name');
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText('There is nothing here').waitFor();
      await page.getByRole('link', { name: 'Show all of it' }).click();
      await page.getByText('the link is not valid').first().waitFor();
      assert.deepEqual(faults, []);
      await close();
    }
  },
});
