// People answer: each kind of question, by keyboard and by label, on a desk and on a phone, with and without scripts.

import assert from 'node:assert/strict';
import {
  ENDED, PHONE, SERVER, ask, assertAnswered, assertPending, main, open, overflows, read, shot,
} from './lib.mjs';

const colours = (more) => ({
  choice: {
    options: [
      { value: 'red', label: 'Red', description: 'Stops everything' },
      { value: 'green', label: 'Green' },
      { value: 'blue' },
    ],
    ...more,
  },
});
const person = {
  object: {
    jsonSchema: JSON.stringify({
      type: 'object',
      properties: {
        name: { type: 'string', title: 'Full name', minLength: 2, description: 'As in the passport' },
        age: { type: 'integer', title: 'Age', minimum: 0 },
        height: { type: 'number', title: 'Height in metres' },
        member: { type: 'boolean', title: 'Member' },
        born: { type: 'string', title: 'Born', format: 'date' },
        colour: { type: 'string', title: 'Colour', enum: ['red', 'green'], enumNames: ['Red', 'Green'] },
        tags: { type: 'array', title: 'Tags', minItems: 1, items: { type: 'string', enum: ['a', 'b', 'c'] } },
      },
      required: ['name', 'age'],
    }),
  },
};
const many = {
  choice: {
    options: Array.from({ length: 40 }, (_, n) => ({ value: `v${n}`, label: `Option ${n}` })),
  },
};

const longCode = `SELECT ${'a_long_column_name, '.repeat(12)}1`;
const shown = {
  title: 'Deploy v2.41.0 to production?',
  prompt: 'The canary is healthy [[C]]. One migration drops a column [[B]].',
  risk: 'RISK_HIGH',
  evidence: [
    { title: 'Release', facts: { facts: [{ label: 'Version', value: 'v2.41.0' },
      { label: 'Changes', value: '23 commits', url: 'https://git.example/compare' }] } },
    { title: 'Migration', note: '0142.sql', diff: { texts: {
      before: 'BEGIN;\nALTER TABLE orders RENAME COLUMN legacy_total TO legacy_total_old;\nCOMMIT;\n',
      after: 'BEGIN;\nALTER TABLE orders DROP COLUMN legacy_total;\nUPDATE schema_info SET version = 142;\nCOMMIT;\n' } } },
    { title: 'Rates', table: { columns: ['Region', 'Orders', 'Errors', 'Slowest', 'Note'], rows: [
      { cells: ['eu-central-1', '1,204', '0.12%', '181', 'since the canary began'] },
      { cells: ['us-east-1', '702', '0.14%', '203', 'since the canary began'] }] } },
    { title: 'Plan', json: { json: '{"steps": [5, 25, 50, 100], "abort_if": {"error_rate": {"percent": {"above": 0.5}}}}' } },
    { title: 'Check', code: { code: longCode, language: 'sql' } },
    { title: 'Words', text: { text: 'Nothing stands out.\nReally.' } },
    { title: 'Runbook', link: { url: 'https://runbooks.example/rollback' } },
  ],
};

// Name, input, how a person fills it in, and the value that must come of it.
const kinds = [
  ['int', { int: { min: '0', max: '9007199254740993' } },
    (page) => page.locator('[name=value]').fill('9007199254740993'), { int: '9007199254740993' }],
  ['float', { float: {} }, (page) => page.locator('[name=value]').fill('-1.5'), { float: -1.5 }],
  ['str', { str: {} }, (page) => page.getByRole('textbox').first().fill('Grüße 👩‍👩‍👧‍👦'), { str: 'Grüße 👩‍👩‍👧‍👦' }],
  ['multiline', { str: { multiline: true } },
    (page) => page.getByRole('textbox').first().fill('one\ntwo'), { str: 'one\ntwo' }],
  ['bool', { bool: { trueLabel: 'Ship it', falseLabel: 'Hold' } },
    (page) => page.getByRole('radio', { name: 'Hold' }).check(), { bool: false }],
  ['choice', colours(), (page) => page.getByRole('radio', { name: /^Red/ }).check(), { choice: { selected: ['red'] } }],
  ['multi', colours({ minSelected: 1, maxSelected: 3 }), async (page) => {
    await page.getByRole('checkbox', { name: 'blue' }).check();
    await page.getByRole('checkbox', { name: /^Red/ }).check();
  }, { choice: { selected: ['red', 'blue'] } }],
  ['many', many, (page) => pickOf(page, 'Option 33'), { choice: { selected: ['v33'] } }],
  ['object', person, async (page) => {
    await page.getByLabel('Full name').fill('Zoë');
    await page.getByLabel('Age').fill('41');
    await page.getByLabel('Height in metres').fill('1.75');
    await page.getByRole('group', { name: 'Member' }).getByLabel('Yes').check();
    await page.getByLabel('Born').fill('1985-03-31');
    await pickOf(page, 'Green');
    await page.getByLabel('b', { exact: true }).check();
  }, { object: { fields: {
    age: { int: '41' }, born: { str: '1985-03-31' }, colour: { choice: { selected: ['green'] } },
    height: { float: 1.75 }, member: { bool: true }, name: { str: 'Zoë' },
    tags: { choice: { selected: ['b'] } },
  } } }],
];

/** Picks an option whether it is shown as a radio button or in a list. */
async function pickOf(page, label) {
  const radio = page.getByRole('radio', { name: label, exact: true });
  if (await radio.count()) await radio.check();
  else await page.getByRole('combobox').first().selectOption({ label });
}

async function submit(page) {
  await page.locator('button.send').click();
}

async function answerEach(browser, options, suffix) {
  const { page, faults, close } = await open(browser, options);
  for (const [name, input, fill, value] of kinds) {
    const event = await ask(input, { prompt: `Please give the ${name}.\nTake your time.` });
    await page.goto(event.formUrl);
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), `Please give the ${name}.`);
    await shot(page, `${name}-question${suffix}`);
    assert.equal(await overflows(page), false, `${name} scrolls sideways`);
    await fill(page);
    await submit(page);
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), ENDED);
    assert.equal(await page.getByRole('button').count(), 0, 'nothing is left to do');
    await shot(page, `${name}-outcome${suffix}`);
    assert.equal(await overflows(page), false, `${name} scrolls sideways when it is answered`);
    assert.deepEqual(faults, [], name);
    await assertAnswered(event, value);
  }
  await close();
}

/** Names of what Tab reaches, in order, until the page is through. */
async function tabOrder(page) {
  const seen = [];
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return null;
      return `${at.tagName.toLowerCase()} ${at.name || at.textContent.trim()}`;
    });
    if (name === null || (seen.length && name === seen[0])) break;
    seen.push(name);
  }
  return seen;
}

await main({
  'every kind of question is answered on a desk': (browser) => answerEach(browser, {}, ''),
  'every kind of question is answered on a phone with scripts off': (browser) =>
    answerEach(browser, { viewport: PHONE, isMobile: true, hasTouch: true, javaScriptEnabled: false }, '-phone'),

  'a wrong answer says why, keeps what was typed, and is corrected': async (browser) => {
    const event = await ask({ int: { min: '1', max: '90' } });
    const { page, faults, close } = await open(browser);
    await page.goto(event.formUrl);
    await page.locator('[name=value]').fill('seventy');
    await submit(page);
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /whole number/);
    assert.equal(await page.locator('[name=value]').inputValue(), 'seventy');
    assert.equal(await page.locator('[name=value]').getAttribute('aria-invalid'), 'true');
    assert.match(await page.title(), /^Error/);
    await shot(page, 'int-wrong');
    await assertPending(event);
    await page.getByRole('alert').getByRole('link').first().click();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'value');
    await page.locator('[name=value]').fill('7');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: ENDED }).waitFor();
    // The status of a page that is to be corrected is no fault of it.
    assert.deepEqual(faults.filter((fault) => !fault.includes('status of 422')), []);
    await assertAnswered(event, { int: '7' });
    await close();
  },

  'after a correction the way back shows what came of it, and asks nobody to send a form twice': async (browser) => {
    // What is short travels in the address of a page; what is long stays on the page that the browser keeps.
    for (const wrong of ['seventy', 'x'.repeat(9000)]) {
      const event = await ask({ str: { multiline: true, maxLength: 5 } });
      const { page, close } = await open(browser);
      await page.goto(event.formUrl);
      await page.locator('[name=value]').fill(wrong);
      await page.locator('form[data-draft] [name=responder]').fill('Zoë');
      await submit(page);
      await page.getByRole('alert').waitFor();
      if (wrong.length < 1000) {
        await page.reload();
        await page.getByRole('alert').waitFor();
      }
      assert.equal(await page.locator('[name=value]').inputValue(), wrong);
      assert.equal(await page.locator('form[data-draft] [name=responder]').inputValue(), 'Zoë');
      await page.locator('[name=value]').fill('seven');
      await submit(page);
      await page.getByRole('heading', { name: ENDED }).waitFor();
      for (const go of ['goBack', 'goForward', 'goBack', 'goBack', 'goForward']) {
        await page[go]();
        assert.ok(page.url().startsWith(event.formUrl), `${go}: ${page.url()}`);
        assert.doesNotMatch(await page.locator('body').innerText(), /resubmission/i);
      }
      await page.goto(event.formUrl);
      await page.getByRole('heading', { name: ENDED }).waitFor();
      await assertAnswered(event, { str: 'seven' });
      await close();
    }
  },

  'the way back to an answer that came second asks nobody to send it again': async (browser) => {
    const event = await ask({ int: {} });
    const { page, close } = await open(browser);
    const first = await open(browser);
    for (const person of [page, first.page]) await person.goto(event.formUrl);
    await first.page.locator('[name=value]').fill('1');
    await submit(first.page);
    await page.locator('[name=value]').fill('2');
    await submit(page);
    await page.getByText('not recorded').waitFor();
    await page.goto(`${SERVER}/healthz`);
    await page.goBack();
    await page.getByText('not recorded').waitFor();
    for (const done of [close, first.close]) await done();
  },

  'a default with line breaks is shown whole and sent as it was': async (browser) => {
    const text = '\nDear all,\n\n  the end\n';
    const schema = { type: 'object', properties: { text: { type: 'string', title: 'Text', default: text } } };
    const event = await ask({ object: { jsonSchema: JSON.stringify(schema) } });
    const { page, close } = await open(browser);
    await page.goto(event.formUrl);
    assert.equal(await page.getByLabel('Text').inputValue(), text);
    await submit(page);
    await page.getByRole('heading', { name: ENDED }).waitFor();
    await assertAnswered(event, { object: { fields: { text: { str: text } } } });
    await close();
  },

  'an instant is given as a day and a time, in the zone of the reader or at an offset': async (browser) => {
    const when = { str: { format: 'STR_FORMAT_DATE_TIME' } };
    for (const [options, offset, given] of [
      [{ timezoneId: 'Europe/Berlin' }, null, '2026-07-06T02:00:00+02:00'],
      [{ timezoneId: 'Asia/Kathmandu' }, null, '2026-07-06T02:00:00+05:45'],
      [{ timezoneId: 'Europe/Berlin' }, '-03:00', '2026-07-06T02:00:00-03:00'],
      [{ javaScriptEnabled: false }, null, '2026-07-06T02:00:00Z'],
      [{ javaScriptEnabled: false }, '+09:00', '2026-07-06T02:00:00+09:00'],
    ]) {
      const event = await ask(when);
      const { page, close } = await open(browser, options);
      await page.goto(event.formUrl);
      await page.getByLabel('Day').fill('2026-07-06');
      if (offset) await page.getByLabel('Time zone').selectOption(offset);
      // Half of an instant comes back as it was given.
      await page.locator('form[data-draft]').evaluate((form) => { form.noValidate = true; });
      await submit(page);
      await page.getByRole('alert').waitFor();
      assert.equal(await page.getByLabel('Day').inputValue(), '2026-07-06');
      await page.getByLabel('Time', { exact: true }).fill('02:00');
      await submit(page);
      await page.getByRole('heading', { name: ENDED }).waitFor();
      await assertAnswered(event, { str: given });
      await close();
    }
  },

  'what was typed is there again until it is sent, and holds nothing else': async (browser) => {
    const event = await ask({ str: {} });
    const { context, page, close } = await open(browser);
    await page.goto(event.formUrl);
    await page.locator('[name=value]').fill('half of it');
    await page.getByRole('button', { name: 'Send: half of it' }).waitFor();
    const again = await context.newPage();
    await again.goto(event.formUrl);
    assert.equal(await again.locator('[name=value]').inputValue(), 'half of it');
    const kept = await again.evaluate(() => Object.values(localStorage).join());
    assert.match(kept, /^\d+ value=half\+of\+it&comment=&responder=&reason=$/);
    await submit(again);
    await again.getByRole('heading', { name: ENDED }).waitFor();
    assert.equal(await again.evaluate(() => localStorage.length), 0);
    await close();
  },

  'each wrong field of an object is named, and its complaint leads to it': async (browser) => {
    const event = await ask(person);
    const { page, close } = await open(browser, { javaScriptEnabled: false });
    await page.goto(event.formUrl);
    await page.locator('form[data-draft]').evaluate((form) => { form.noValidate = true; });
    await page.getByLabel('Full name').fill('Zoë');
    await page.getByLabel('Age').fill('old');
    await page.getByLabel('Height in metres').fill('tall');
    await submit(page);
    const alert = page.getByRole('alert');
    for (const title of ['Age', 'Height in metres']) {
      assert.ok((await alert.innerText()).includes(title), `${title}: ${await alert.innerText()}`);
    }
    await shot(page, 'object-wrong');
    for (const link of await alert.getByRole('link').all()) {
      const target = (await link.getAttribute('href')).slice(1);
      assert.equal(await page.locator(`[id="${target}"]`).count(), 1, `${target} is not there`);
    }
    await assertPending(event);
    await close();
  },

  'a person declines with a reason': async (browser) => {
    const event = await ask({ bool: {} });
    const { page, faults, close } = await open(browser);
    await page.goto(event.formUrl);
    await page.getByText("I can't answer this…").click();
    await page.locator('[name=reason]').fill('Not mine to say');
    await shot(page, 'decline-open');
    await page.getByRole('button', { name: /^Send back/ }).click();
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /declined/i);
    await shot(page, 'decline-outcome');
    assert.deepEqual(faults, []);
    const { state, response } = await read(event);
    assert.deepEqual([state, response.reason], ['EVENT_STATE_DECLINED', 'Not mine to say']);
    await close();
  },

  'the keyboard alone is enough': async (browser) => {
    const event = await ask(colours());
    const { page, close } = await open(browser);
    await page.goto(event.formUrl);
    const order = await tabOrder(page);
    for (const stop of [/^input value/, /^input responder/, /^button action/, /^summary I can't/, /^summary About/]) {
      assert.ok(order.some((name) => stop.test(name)), `${stop} is not in ${order}`);
    }
    const at = (stop) => order.findIndex((name) => stop.test(name));
    assert.ok(at(/^input value/) < at(/^button action/), 'the answer comes before the button');
    await page.goto(event.formUrl);
    // The first stop leads past the top of the page.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    while (!(await page.evaluate(() => document.activeElement.tagName === 'BUTTON'))) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: ENDED }).waitFor();
    await assertAnswered(event, { choice: { selected: ['green'] } });
    await close();
  },

  'evidence stands beside the question on a desk, before the answer on a phone, and never moves the page': async (browser) => {
    const event = await ask({ bool: {} }, shown);
    for (const [name, width, scheme, javaScriptEnabled] of [
      ['desk', 1280, 'light', true], ['wide', 1680, 'dark', false], ['phone', 390, 'light', false], ['narrow', 320, 'dark', true],
    ]) {
      const options = { viewport: { width, height: 800 }, colorScheme: scheme, javaScriptEnabled };
      const { page, faults, close } = await open(browser, options);
      await page.goto(event.formUrl);
      await shot(page, `evidence-${name}`);
      assert.equal(await overflows(page), false, `${name} scrolls sideways`);
      const [question, evidence, answer] = await Promise.all(['.question', '.evidence', '.answer']
        .map((part) => page.locator(part).boundingBox()));
      if (width > 900) {
        assert.ok(evidence.x > question.x + question.width && evidence.x > answer.x + answer.width, `${name}: beside`);
      } else {
        assert.ok(question.y < evidence.y && evidence.y + evidence.height <= answer.y, `${name}: before`);
      }
      // What is wide scrolls by itself, and a keyboard gets there.
      const code = page.locator('.scroll', { hasText: 'a_long_column_name' });
      assert.ok(await code.evaluate((at) => at.scrollWidth > at.clientWidth && at.tabIndex === 0), `${name}: code`);
      await page.getByRole('link', { name: 'Evidence C' }).click();
      assert.equal(await page.locator('.ex:target h3 bdi').innerText(), 'Rates');
      assert.deepEqual(faults, [], name);
      await close();
    }
  },

  'texts stand side by side on a desk, and below each other if somebody wants that': async (browser) => {
    const event = await ask({ bool: {} }, shown);
    const { page, close } = await open(browser, { viewport: { width: 1280, height: 800 }, javaScriptEnabled: false });
    await page.goto(event.formUrl);
    const [old, fresh] = [page.locator('.dr del').first(), page.locator('.dr ins').first()];
    assert.deepEqual(await fresh.locator('mark').allInnerTexts(), ['DROP']);
    const [left, right] = [await old.boundingBox(), await fresh.boundingBox()];
    assert.ok(right.x > left.x && Math.abs(right.y - left.y) < 2, 'side by side');
    await page.getByLabel('Side by side').uncheck();
    const [above, below] = [await old.boundingBox(), await fresh.boundingBox()];
    assert.ok(below.y > above.y && Math.abs(below.x - above.x) < 2, 'below each other');
    await close();
  },

  'at high risk a tick is wanted, and Enter sends the answer': async (browser) => {
    const event = await ask({ int: {} }, shown);
    const { page, close } = await open(browser);
    await page.goto(event.formUrl);
    await page.locator('[name=value]').fill('7');
    await page.locator('form[data-draft]').evaluate((form) => { form.noValidate = true; });
    await page.locator('[name=value]').press('Enter');
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByRole('alert').innerText(), /nothing is sent without it/);
    await shot(page, 'confirm-tick');
    await assertPending(event);
    await page.getByLabel(/hard to undo/).check();
    await page.getByLabel('Comment').fill('Looks fine to me');
    await page.locator('[name=value]').press('Enter');
    await page.getByRole('heading', { name: ENDED }).waitFor();
    await assertAnswered(event, { int: '7' });
    assert.equal((await read(event)).response.comment, 'Looks fine to me');
    assert.match(await page.locator('main').innerText(), /Looks fine to me[^]*Deploy v2.41.0[^]*Migration/);
    await shot(page, 'evidence-outcome');
    await close();
  },

  'a second step shows what would be sent, with scripts and without': async (browser) => {
    for (const javaScriptEnabled of [true, false]) {
      const event = await ask({ bool: { trueLabel: 'Ship it' } }, { requireConfirmation: true });
      const { page, close } = await open(browser, { javaScriptEnabled });
      await page.goto(event.formUrl);
      await page.getByRole('radio', { name: 'Ship it' }).check();
      await submit(page);
      await page.getByRole('alert').waitFor();
      assert.match(await page.getByRole('alert').innerText(), /One more step[^]*Ship it/);
      await shot(page, 'confirm-step');
      await assertPending(event);
      assert.equal(await page.locator('button.send').innerText(), 'Confirm and send');
      await submit(page);
      await page.getByRole('heading', { name: ENDED }).waitFor();
      await assertAnswered(event, { bool: true });
      await close();
    }
  },

  'a double click shows one success, and whoever comes second is told who was first': async (browser) => {
    const event = await ask({ str: {} });
    const [first, second] = [await open(browser), await open(browser)];
    for (const { page } of [first, second]) await page.goto(event.formUrl);
    await first.page.getByRole('textbox').first().fill('mine');
    await first.page.locator('form[data-draft] [name=responder]').fill('Ann');
    await first.page.locator('button.send').dblclick();
    await first.page.getByRole('heading', { name: ENDED }).waitFor();
    assert.equal(await first.page.getByRole('alert').count(), 0, 'it was recorded');
    await second.page.getByRole('textbox').first().fill('yours');
    await submit(second.page);
    const told = await second.page.locator('main').innerText();
    for (const part of ['not recorded', 'mine', 'Ann', 'yours']) assert.ok(told.includes(part), `${part}: ${told}`);
    await shot(second.page, 'second-answer');
    await assertAnswered(event, { str: 'mine' });
    for (const { close } of [first, second]) await close();
  },

  'an event that has timed out or never was says so': async (browser) => {
    const event = await ask({ int: {} }, { ttl: '0.001s' });
    const { page, close } = await open(browser);
    await page.goto(event.formUrl);
    assert.match(await page.locator('main').innerText(), /in time|timed out|too late/i);
    await shot(page, 'timed-out');
    await page.goto(`${event.formUrl}x`);
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /does not open a question/);
    await shot(page, 'bad-link');
    await close();
  },

  'dark mode and 200 % text stay readable': async (browser) => {
    const event = await ask(person, {
      prompt: '# Heading\n\nA **bold** word, `code`, a [link](https://example.org/) and\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n' +
        'a very long line of code that does not fit into any phone and must scroll by itself\n```\n',
      promptFormat: 'PROMPT_FORMAT_MARKDOWN', labels: { team: 'payments' }, scope: 'nightly-42',
    });
    const { page, close } = await open(browser, { viewport: PHONE, colorScheme: 'dark' });
    await page.goto(event.formUrl);
    await shot(page, 'markdown-dark-phone');
    assert.equal(await overflows(page), false);
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
    assert.equal(await overflows(page), false, 'large text scrolls sideways');
    await close();
  },
});
