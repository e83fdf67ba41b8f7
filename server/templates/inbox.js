// The inbox: live, by keys, and on a wide screen with the question beside the list. The page works without it.
'use strict';
(() => {
  const { all, attempt, live, showTimes, single, sent } = globalThis.hitl;
  const inbox = document.querySelector('[data-inbox]');
  const pane = inbox.querySelector('.pane');
  const wide = matchMedia('(min-width: 1000px)');
  const rows = () => all('[data-row]', inbox);
  const link = (row) => row.querySelector('.row');
  const waits = (row) => !row.classList.contains('gone') && !row.classList.contains('sending');
  const isMany = (row) => 'alike' in row.dataset;
  const stand = (row, words) => { row.querySelector('[data-left]').textContent = words; delete row.dataset.until; };

  // Counts: in the title, and as a dot on the icon.
  const news = inbox.querySelector('.news');
  const title = document.title.replace(/^\([^)]*\) /, '');
  const icon = document.querySelector('link[rel=icon]');
  const bare = icon.href;
  const dotted = bare.replace('%3C/svg%3E', "%3Ccircle cx='18' cy='6' r='6' fill='%23c2410c'/%3E%3C/svg%3E");
  const fresh = new Set();
  const count = () => {
    const many = rows().filter(waits).reduce((sum, row) => sum + 1 + (row.dataset.alike || '').split(' ').filter(Boolean).length, 0);
    const waiting = many + fresh.size;
    document.title = waiting ? `(${waiting}) ${title}` : title;
    icon.href = waiting ? dotted : bare;
    news.hidden = !fresh.size;
    news.querySelector('span').textContent = fresh.size;
  };

  const toast = document.querySelector('.toast');
  let fading;
  const say = (words, canUndo) => {
    clearTimeout(fading);
    toast.querySelector('span').textContent = words;
    toast.querySelector('button').hidden = !canUndo;
    toast.hidden = false;
    if (!canUndo) fading = setTimeout(() => { toast.hidden = true; }, 5000);
  };

  // The question beside the list.
  let current = null;
  let shown = null;
  const adopt = (page, address) => {
    if (shown) shown.abort();
    shown = new AbortController();
    const parts = [...page.querySelector('main').children].map((part) => document.importNode(part, true));
    pane.replaceChildren(...parts);
    all('.page.wide', pane).forEach((part) => { part.classList.remove('wide'); part.classList.add('beside'); });
    all('a[href]', pane).forEach((a) => { if (!a.getAttribute('href').startsWith('#')) a.href = new URL(a.getAttribute('href'), address); });
    // By attributes: a button that is called action hides the property.
    all('form', pane).forEach((form) => form.setAttribute('action', new URL(form.getAttribute('action') || '', address)));
    sent(pane);
    showTimes(pane);
    all('form[data-draft]', pane).forEach((form) => {
      // Before the form's own: what is sent from here waits for five seconds first.
      form.addEventListener('submit', (event) => { event.preventDefault(); event.stopImmediatePropagation(); take(form, event.submitter); });
      live(form, shown.signal);
    });
    pane.scrollTop = 0;
  };
  const read = async (reply) => new DOMParser().parseFromString(await reply.text(), 'text/html');
  let asked = 0;
  const show = async (row) => {
    asked += 1;
    const mine = asked;
    const address = link(row).href;
    const reply = await fetch(address).catch(() => null);
    if (mine !== asked) return;
    if (!reply) { say('No connection. What you typed is kept.'); return; }
    // Whoever is not signed in any more is asked to be, on a page of its own.
    if (new URL(reply.url).pathname !== new URL(address).pathname) { location.assign(address); return; }
    adopt(await read(reply), address);
  };
  const select = (row, focus) => {
    all('[aria-current]', inbox).forEach((at) => at.removeAttribute('aria-current'));
    current = row;
    link(row).setAttribute('aria-current', 'true');
    if (focus) link(row).focus();
    link(row).scrollIntoView({ block: 'nearest' });
    if (wide.matches && !isMany(row)) show(row);
    if (isMany(row)) pane.replaceChildren(Object.assign(document.createElement('p'), { className: 'pick-one quiet', textContent: 'Several that are alike. Press o to answer them together.' }));
  };
  const at = () => rows().find((row) => row.contains(document.activeElement)) || current;
  const move = (step) => {
    const waiting = rows().filter((row) => waits(row) || row === at());
    const next = waiting[Math.max(0, Math.min(waiting.length - 1, waiting.indexOf(at()) + step))];
    if (next) select(next, true);
  };
  const next = (row) => {
    const list = rows();
    const from = list.indexOf(row);
    const to = list.slice(from + 1).find(waits) || list.slice(0, from).reverse().find(waits);
    if (to) select(to, true);
    else { current = null; pane.replaceChildren(Object.assign(document.createElement('p'), { className: 'pick-one quiet', textContent: 'Nothing else waits here.' })); }
  };

  // An answer is held for five seconds, in which it can be taken back.
  let held = null;
  const letGo = () => {
    if (!held) return;
    const job = held;
    held = null;
    clearTimeout(job.timer);
    post(job);
  };
  const post = async (job) => {
    const reply = await fetch(job.address, { method: 'POST', body: job.body, keepalive: true }).catch(() => null);
    const page = reply && await read(reply);
    const isRecorded = page && reply.ok && page.querySelector('[data-sent]') && !page.querySelector('.box.wrong');
    job.row.classList.remove('sending');
    if (isRecorded) {
      sent(page);
      job.row.classList.add('gone');
      stand(job.row, 'recorded');
      count();
      if (job.isNow) { say('Recorded.'); next(job.row); }
      return;
    }
    if (!page) { say('No connection: it was not sent. What you typed is kept.'); select(job.row, true); return; }
    if (!job.isNow) say('One answer was not recorded. See why.');
    select(job.row, false);
    asked += 1;
    adopt(page, job.address);
    const wrong = pane.querySelector('[aria-invalid], .send');
    if (wrong) wrong.focus();
  };
  const take = (form, button) => {
    letGo();
    const row = current;
    const body = new URLSearchParams(new FormData(form, button));
    const left = new Date(row.dataset.until) - Date.now();
    const isDecline = button && button.value === 'decline';
    const job = { row, body, address: form.getAttribute('action'), isNow: ('now' in form.dataset && !isDecline) || left < 6e4 };
    row.classList.add('sending');
    if (job.isNow) { post(job); return; }
    held = job;
    job.timer = setTimeout(() => { toast.hidden = true; letGo(); }, 5000);
    say(isDecline ? 'Sent back in 5 seconds' : `${form.querySelector('.send').textContent.replace(/^Send: /, 'Sends ')}, in 5 seconds`, true);
    next(row);
  };
  const undo = () => {
    if (!held) return;
    const job = held;
    held = null;
    clearTimeout(job.timer);
    job.row.classList.remove('sending');
    toast.hidden = true;
    select(job.row, true);
  };
  toast.querySelector('button').addEventListener('click', undo);
  addEventListener('pagehide', letGo);

  // What happens elsewhere. Nothing moves while somebody reads: what is new waits behind a line, what ended is struck out.
  const key = (event) => { const { namespace, id } = JSON.parse(event.data); return `${namespace}/${id}`; };
  const known = (name) => rows().find((row) => row.dataset.row === name || (row.dataset.alike || '').split(' ').includes(name));
  const stream = new EventSource(inbox.dataset.inbox);
  stream.addEventListener('created', (event) => {
    const name = key(event);
    if (!known(name) && !fresh.has(name)) {
      fresh.add(name);
      if (document.hidden && isTold()) attempt(() => new Notification('A question waits', { body: `${fresh.size} new in ${location.host}`, tag: 'hitl' }));
    }
    count();
  });
  stream.addEventListener('ended', (event) => {
    const name = key(event);
    fresh.delete(name);
    const row = known(name);
    const others = row && (row.dataset.alike || '').split(' ').filter((one) => one && one !== name);
    if (row && isMany(row) && others.length) {
      if (row.dataset.row === name) row.dataset.row = others.shift();
      row.dataset.alike = others.join(' ');
      row.querySelector('.badge').textContent = others.length + 1;
    } else if (row && waits(row)) {
      row.classList.add('gone');
      stand(row, 'ended');
      const bar = row === current && pane.querySelector('.bar');
      if (bar) {
        const note = Object.assign(document.createElement('p'), { textContent: 'It has ended meanwhile. ' });
        note.setAttribute('role', 'status');
        note.append(Object.assign(document.createElement('a'), { href: link(row).href, textContent: 'Show' }));
        bar.replaceChildren(note);
      }
    }
    count();
  });

  // Notifications, if somebody asks for them.
  const bell = inbox.querySelector('.bell');
  const isTold = () => attempt(() => Notification.permission === 'granted' && localStorage.getItem('hitl notify') === 'on');
  const ring = () => { bell.textContent = isTold() ? 'Stop notifying me' : 'Notify me of new ones'; };
  if ('Notification' in globalThis && Notification.permission !== 'denied') {
    bell.hidden = false;
    ring();
    bell.addEventListener('click', async () => {
      const told = isTold();
      if (!told) await Notification.requestPermission();
      attempt(() => localStorage.setItem('hitl notify', told ? 'off' : 'on'));
      ring();
    });
  }

  const help = document.querySelector('.help-keys');
  all('[data-help]', inbox).forEach((button) => button.addEventListener('click', () => help.showModal()));
  inbox.addEventListener('click', (event) => {
    const row = event.target.closest('.row') && event.target.closest('[data-row]');
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!row || !wide.matches || isMany(row) || !isPlain) return;
    event.preventDefault();
    select(row, false);
  });

  const search = inbox.querySelector('input[type=search]');
  const into = (selector) => { const found = pane.querySelector(selector); if (found) found.focus(); return found; };
  let piece = -1;
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    o: () => { const row = at(); if (!row) return; if (!wide.matches || isMany(row)) link(row).click(); else into('.answer :is(input:not([type=hidden]), textarea, select)'); },
    x: () => { const box = at() && at().querySelector('[name=e]'); if (box) box.click(); },
    e: () => { const all_ = all('.ex', pane); piece = (piece + 1) % (all_.length || 1); if (all_[piece]) all_[piece].scrollIntoView({ block: 'start' }); },
    c: () => into('[name=comment]'),
    d: () => { const more = pane.querySelector('.decline'); if (more) { more.open = true; into('[name=reason]'); } },
    z: undo,
    '/': () => { search.focus(); search.setSelectionRange(search.value.length, search.value.length); },
    '?': () => help.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (help.open) return;
    if (event.key === 'Escape') { if (at()) link(at()).focus(); return; }
    const does = single(event) && keys[event.key];
    if (does) { event.preventDefault(); does(); }
  });

  const first = rows().find(waits);
  if (wide.matches && first && !isMany(first)) select(first, false);
  count();
})();
