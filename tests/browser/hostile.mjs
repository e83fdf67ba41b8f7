// Authors and machines that mean no good: their text stays text, and their visits change nothing.

import assert from 'node:assert/strict';
import { DESK, ENDED, LIMIT, PHONE, SERVER, ask, assertAnswered, assertPending, main, open, overflows, shot } from './lib.mjs';

const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'-alert(1)-'",
  '</title><script>alert(1)</script>',
  '</textarea><svg onload=alert(1)>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt&colon;alert(1))',
  '[x](data:text/html,<script>alert(1)</script>)',
  '![x](https://evil.example/beacon.png)',
  '<img src="https://evil.example/beacon.png">',
  '<style>@import url(https://evil.example/x.css); body{display:none}</style>',
  '<form action="https://evil.example/"><input name=value><button>Send answer</button></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href=https://evil.example/x.css>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<<script>script>alert(1)<</script>/script>',
  '\u202egnp.exe\u202c \u2066hidden\u2069 \u200b\u0000\u0007',
  '{{7*7}} ${7*7} <%= 7*7 %> {% raw %}',
  '<!--<script>-->',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<x onclick=alert(1) style="position:fixed;inset:0;z-index:9">everything</x>',
];

/** What an event can carry, with the attack in every place that takes text. */
function everywhere(attack) {
  const line = attack.replace(/[\u0000-\u001f]/g, ' ');
  return [
    { bool: { trueLabel: `${line}1`.slice(0, 200), falseLabel: `${line}2`.slice(0, 200) } },
    { choice: { options: [{ value: line, label: line, description: line }, { value: 'b' }] } },
    { object: { jsonSchema: JSON.stringify({
      type: 'object',
      properties: { [line.slice(0, 63)]: { type: 'string', title: line, description: line, default: line } },
    }) } },
  ].map((input) => ({
    input,
    more: {
      name: line.slice(0, 200), prompt: `${attack}\n\nand so on`, scope: line.slice(0, 200), labels: { k: line },
    },
  }));
}

const ACTIVE = 'script, iframe, object, embed, img, svg, math, link, base, meta[http-equiv]';
/** The script, the icons and the like of pages without any text that means harm. */
const ours = new Set();

/** Learns what the pages have of their own, before and after an answer. */
async function learnOurs(browser) {
  const { page, close } = await open(browser);
  const learn = async () => (await page.locator(ACTIVE).evaluateAll((all) => all.map((element) => element.outerHTML)))
    .forEach((element) => ours.add(element));
  await page.goto((await ask({ str: { maxLength: 3 } })).formUrl);
  await learn();
  for (const text of ['wrong', 'yes']) {
    await page.getByRole('textbox').first().fill(text);
    await page.locator('button.send').click();
    await page.getByRole(text === 'wrong' ? 'alert' : 'status').waitFor();
    await learn();
  }
  await close();
}

/** Checks that nothing of the author's became part of the page. */
async function assertInert(page, faults, what) {
  const found = await page.evaluate((active) => ({
    active: [...document.querySelectorAll(active)].map((element) => element.outerHTML),
    handlers: [...document.querySelectorAll('*')]
      .filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on')))
      .map((element) => element.outerHTML),
    links: [...document.querySelectorAll('a[href]')].map((a) => a.protocol).filter((p) => !/^https?:|^mailto:/.test(p)),
    forms: [...document.forms].map((form) => new URL(form.getAttribute('action') ?? '', document.baseURI).href),
    styles: document.querySelectorAll('style').length,
  }), ACTIVE);
  assert.deepEqual(found.active.filter((element) => !ours.has(element)), [], what);
  assert.deepEqual(found.handlers, [], what);
  assert.deepEqual(found.links, [], what);
  assert.ok(found.forms.every((action) => action.startsWith(SERVER)), `${what}: ${found.forms}`);
  assert.ok(found.styles <= 1, `${what}: ${found.styles} style sheets`);
  assert.deepEqual(faults, [], what);
}

await main({
  'no text of an author becomes more than text': async (browser) => {
    await learnOurs(browser);
    const { page, faults, close } = await open(browser);
    for (const attack of ATTACKS) {
      const events = everywhere(attack).map(({ input, more }) => [input, more]);
      events.push([{ str: {} }, { ...events[0][1], promptFormat: 'PROMPT_FORMAT_MARKDOWN' }]);
      for (const [input, more] of events) {
        await page.goto((await ask(input, more)).formUrl);
        await assertInert(page, faults, `${more.promptFormat ?? 'text'}: ${attack}`);
      }
    }
    await shot(page, 'hostile');
    await close();
  },

  'no text of whoever answers becomes more than text': async (browser) => {
    const { page, faults, close } = await open(browser);
    for (const attack of ATTACKS.map((text) => text.replace(/[\u0000-\u001f]/g, ''))) {
      const event = await ask({ str: {} });
      await page.goto(event.formUrl);
      await page.getByRole('textbox').first().fill(attack);
      await page.locator('form[data-draft] [name=responder]').fill(attack.slice(0, 200));
      await page.locator('button.send').click();
      await page.getByRole('heading', { name: ENDED }).waitFor();
      await assertInert(page, faults, attack);
      await assertAnswered(event, { str: attack });
    }
    await close();
  },

  'a link says where the browser goes, whatever its text and its address look like': async (browser) => {
    const sly = [
      '[https://bank.example](https:///evil.example/login) (bank.example)',
      '[x](https:\\\\\\\\evil.example\\\\@bank.example/)',
      '[x](<ht\ttps://ev\til.example/>)',
      '[x](https://evil.example:8443/a)',
      '[x](https://b\u00e4nk.example/)',
      '[x](https://bank.example@evil.example/)',
      '[x](//evil.example/) [y](\\\\\\\\evil.example)',
      '[r] <https://evil.example/> <a@evil.example>\n\n[r]: https:/\\\\evil.example',
      '[![bank.example](x.png)](http://2130706433/)',
      '<bdi class="host">bank.example</bdi> [<bdi class="host">bank.example</bdi>](https://evil.example)',
    ];
    const { page, faults, close } = await open(browser);
    for (const prompt of sly) {
      const event = await ask({ str: {} }, { prompt, promptFormat: 'PROMPT_FORMAT_MARKDOWN' });
      await page.goto(event.formUrl);
      const links = await page.locator('.question a').evaluateAll((all) => all.map((a) => ({
        goes: a.protocol === 'mailto:' ? a.pathname : a.host, user: a.username,
        says: a.nextElementSibling?.matches('bdi.host') ? a.nextElementSibling.textContent : null,
      })));
      for (const { goes, says, user } of links) {
        assert.equal(says, goes, prompt);
        assert.equal(user, '', prompt);
      }
      assert.equal(await page.locator('.host').count(), links.length, prompt);
      assert.deepEqual(faults, [], prompt);
    }
    await shot(page, 'links');
    await close();
  },

  'what cannot be seen is written out, and is answered as it was': async (browser) => {
    const hidden = 'a\u202e\u200b\u2066\u3164b';
    const { page, faults, close } = await open(browser);
    for (const promptFormat of ['PROMPT_FORMAT_TEXT', 'PROMPT_FORMAT_MARKDOWN']) {
      const event = await ask(
        { choice: { options: [{ value: hidden }, { value: 'c' }] } },
        { name: hidden, prompt: `Is it ${hidden}?`, scope: hidden, labels: { k: hidden }, promptFormat },
      );
      await page.goto(event.formUrl);
      const text = await page.locator('main').innerText();
      assert.ok(!/[\u202e\u200b\u2066\u3164]/.test(text), text);
      assert.ok(text.includes('Is it a\\u{202E}\\u{200B}\\u{2066}\\u{3164}b?'), text);
      await page.getByRole('radio').first().check();
      await page.locator('button.send').click();
      await page.getByRole('heading', { name: ENDED }).waitFor();
      await assertAnswered(event, { choice: { selected: [hidden] } });
      assert.ok(!/[\u202e\u200b\u2066\u3164]/.test(await page.locator('main').innerText()));
    }
    assert.deepEqual(faults, []);
    await shot(page, 'hidden');
    await close();
  },

  'a long prompt is readable in both themes and sizes, laid out or not': async (browser) => {
    const rows = Array.from({ length: 60 }, (_, n) => `| node-${n} | eu-central-1 | ${n * 7} % | [log](https://logs.example/${n}) |`);
    const long = ['# Rollout', 'Read **all** of it.', '| node | region | load | log |\n|-|-|-|-|', ...rows].join('\n')
      .replace('of it.\n', 'of it.\n\n');
    const padded = `${'|a'.repeat(362)}\n${'|-'.repeat(362)}\n${'a\n'.repeat(724)}\n`.repeat(20);
    for (const [name, prompt] of [['long', long], ['unrendered', padded]]) {
      const event = await ask({ bool: {} }, { prompt, promptFormat: 'PROMPT_FORMAT_MARKDOWN' });
      for (const colorScheme of ['light', 'dark']) {
        for (const [size, viewport] of [['desk', DESK], ['phone', PHONE]]) {
          const { page, faults, close } = await open(browser, { viewport, colorScheme });
          await page.goto(event.formUrl);
          assert.equal(await overflows(page), false, `${name} ${size}`);
          const noted = await page.getByText('shown as it was written').count();
          assert.equal(noted, name === 'unrendered' ? 1 : 0);
          assert.deepEqual(faults, []);
          await shot(page, `${name}-${colorScheme}-${size}`);
          await close();
        }
      }
    }
  },

  'a scanner that opens, waits, hovers and looks at every link leaves the event as it was': async (browser) => {
    for (const input of [{ bool: {} }, { choice: { options: [{ value: 'a' }] } }, { str: {} }]) {
      const event = await ask(input, {
        prompt: '[read more](https://example.org/x)', promptFormat: 'PROMPT_FORMAT_MARKDOWN',
      });
      const { page, close } = await open(browser);
      await page.goto(event.formUrl, { waitUntil: 'networkidle' });
      for (const element of await page.locator('a:not(.skip), button, input, summary, label').all()) {
        if (await element.isVisible()) await element.hover();
      }
      for (const link of await page.locator('a[href]:not(.skip)').all()) {
        const { rel } = await link.evaluate((a) => ({ rel: a.rel }));
        assert.match(rel, /noreferrer/);
      }
      await page.reload();
      await assertPending(event);
      await close();
    }
  },

  'a page of another origin can neither frame nor script the form': async (browser) => {
    const event = await ask({ bool: {} });
    const context = await browser.newContext();
    context.setDefaultTimeout(LIMIT);
    const page = await context.newPage();
    // Played by the browser itself: nothing leaves this machine.
    await page.route('http://evil.example/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<iframe src="${event.formUrl}"></iframe>` }));
    await page.goto('http://evil.example/');
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    assert.equal(await framed?.locator('form').count() ?? 0, 0, 'the form can be framed');
    const stolen = await page.evaluate(async ([server, id]) => {
      const attempts = [
        [`${server}/v1/events`, {}],
        [`${server}/v1/events/${id}/cancel`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }],
        [`${server}/v1/events/${id}/cancel`, { method: 'POST', body: '', mode: 'no-cors' }],
        [`${server}/submit`, { method: 'POST', mode: 'no-cors', body: new URLSearchParams({ request_id: id, value: 'true' }) }],
      ];
      const replies = await Promise.all(attempts.map(([url, init]) => fetch(url, init).then((r) => r.text()).catch(() => '')));
      return replies.join('');
    }, [SERVER, event.id]);
    assert.equal(stolen, '', 'a page of another origin reads a reply');
    await assertPending(event);
    await context.close();
  },
});
