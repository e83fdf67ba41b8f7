// Makes pages live. Each works without it.
'use strict';
(() => {
  const zone = document.documentElement.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const day = (date) => date.toLocaleDateString('en-CA', { timeZone: zone });

  // Instants in the reader's own time; what the server wrote stays as a hint.
  const local = (date) => {
    const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone });
    const days = Math.round((new Date(day(date)) - new Date(day(new Date()))) / 864e5);
    const near = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }[days];
    const far = { day: 'numeric', month: 'long', year: 'numeric', timeZone: zone };
    return `${time} ${near || `on ${date.toLocaleDateString('en-GB', far)}`} (${zone})`;
  };
  const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: zone };
  const showTimes = (within) => all('time[datetime]', within).forEach((time) => {
    if (time.title) return;
    time.title = time.textContent;
    const at = new Date(time.dateTime);
    time.textContent = 'clock' in time.dataset ? at.toLocaleTimeString('en-GB', clock) : local(at);
  });
  showTimes(document);

  // What is left, as the server says it.
  const span = (ms, isShort) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    const say = (count, unit) => (isShort ? `${count} ${unit === 'minute' ? 'min' : unit[0]}` : `${count} ${unit}${count === 1 ? '' : 's'}`);
    if (s < 60) return say(s, 'second');
    if (s < 3600) return say(Math.floor(s / 60), 'minute');
    const [big, small, rest] = s < 86400
      ? [say(Math.floor(s / 3600), 'hour'), 'minute', Math.floor(s / 60) % 60]
      : [say(Math.floor(s / 86400), 'day'), 'hour', Math.floor(s / 3600) % 24];
    return rest ? `${big} ${say(rest, small)}` : big;
  };
  const tick = () => all('[data-until]').forEach((at) => {
    const [until, since] = [new Date(at.dataset.until), new Date(at.dataset.since)];
    const left = until - Date.now();
    const part = left / (until - since);
    at.classList.toggle('late', left < 12e4);
    at.classList.toggle('soon', left >= 12e4 && (left < 6e5 || part < 0.2));
    const words = at.querySelector('[data-left]') || at.querySelector('strong');
    const said = left > 0 ? `${span(left, at.dataset.short)}${at.dataset.short ? '' : ' left'}` : 'over';
    if (words && words.textContent !== said) words.textContent = said;
    const rail = at.querySelector('.rail i');
    if (rail) rail.className = `w${Math.min(100, Math.max(0, Math.ceil(part * 20) * 5))}`;
  });
  tick();
  setInterval(tick, matchMedia('(prefers-reduced-motion: reduce)').matches ? 6e4 : 1e3);

  // What was typed is kept in this browser until it is sent, or for thirty days. A browser may refuse to keep anything.
  const attempt = (work) => { try { return work(); } catch { return null; } };
  const kept = (id) => `hitl draft ${id}`;
  const store = {
    get: (id) => attempt(() => localStorage.getItem(kept(id)).replace(/^\d+ /, '')),
    set: (id, text) => attempt(() => localStorage.setItem(kept(id), `${Date.now()} ${text}`)),
    drop: (id) => attempt(() => localStorage.removeItem(kept(id))),
  };
  const sent = (within) => all('[data-sent]', within).forEach((page) => store.drop(page.dataset.sent));
  sent(document);
  attempt(() => Object.entries(localStorage).forEach(([key, text]) => {
    if (key.startsWith(kept('')) && parseInt(text, 10) < Date.now() - 30 * 864e5) localStorage.removeItem(key);
  }));

  const control = (field) => field.name && field.type !== 'hidden' && field.type !== 'submit' && field.name !== 'confirm';
  const isPick = (field) => field.type === 'radio' || field.type === 'checkbox';
  // Whether a key is one by itself, which nobody types into a box and nobody has turned off.
  const single = (event) => document.documentElement.dataset.keys !== 'off' && !event.ctrlKey && !event.metaKey && !event.altKey
    && !event.target.matches('input:not([type=radio]):not([type=checkbox]), textarea, select');
  // Makes a form live, until the signal says that it is gone.
  const live = (form, signal) => {
    const id = form.dataset.draft;
    const fields = [...form.elements].filter(control);
    const untouched = fields.every((field) => (isPick(field)
      ? field.checked === field.defaultChecked : field.tagName === 'SELECT' || field.value === field.defaultValue));
    const wrong = form.querySelector('[aria-invalid]');
    const draft = !wrong && untouched && store.get(id);
    if (draft) {
      const typed = new URLSearchParams(draft);
      fields.forEach((field) => {
        if (isPick(field)) field.checked = typed.getAll(field.name).includes(field.value);
        else if (typed.has(field.name)) field.value = typed.get(field.name);
      });
    }

    // The offset of the reader's zone on the day that was picked.
    const moments = all('.moment', form).map((moment) => {
      const [date, time, offset] = all('input, select', moment);
      const own = new Option(`${zone} (yours)`, '');
      offset.prepend(own);
      // Whatever the reader picked before stays picked.
      if (!wrong && !draft) offset.selectedIndex = 0;
      const read = moment.parentElement.appendChild(document.createElement('p'));
      read.className = 'read';
      return () => {
        const at = new Date(`${date.value}T${time.value || '00:00'}`);
        if (Number.isNaN(+at)) { read.textContent = ''; return; }
        const there = (in_) => new Date(at.toLocaleString('en-US', in_ && { timeZone: in_ }));
        const minutes = Math.round((there(zone) - there('UTC')) / 6e4);
        const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, '0');
        own.value = `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
        const instant = new Date(`${date.value}T${time.value}${offset.value}`);
        const say = (parts, timeZone) => instant.toLocaleString('en-GB', { ...parts, hour: '2-digit', minute: '2-digit', timeZone });
        const whole = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' };
        const here = zone === 'UTC' ? '' : ` in ${zone}, ${say({ weekday: 'short' }, 'UTC')}`;
        read.textContent = Number.isNaN(+instant) ? '' : `${say(whole, zone)}${here} UTC`;
      };
    });

    // The button says what it sends.
    const send = form.querySelector('.send');
    const idle = send.textContent;
    const answers = fields.filter((field) => field.name === 'value' || field.name === 'value.decision');
    const label = () => {
      moments.forEach((show) => show());
      const said = answers.flatMap((field) => {
        if (!isPick(field)) return field.tagName === 'SELECT' ? field.value && field.selectedOptions[0].text : field.value;
        return field.checked ? form.querySelector(`label[for="${field.id}"] bdi`).textContent : [];
      }).filter(Boolean).join(', ').trim();
      if ('fixed' in send.dataset) return;
      send.textContent = said && said.length <= 40 && !said.includes('\n') ? `Send: ${said}` : idle;
    };
    label();
    form.addEventListener('input', ({ target }) => {
      label();
      const edits = form.querySelector('.edits');
      if (edits && target.name === 'value.decision' && target.value === 'edit') edits.open = true;
      const typed = fields.filter((field) => !isPick(field) || field.checked).map(({ name, value }) => [name, value]);
      store.set(id, new URLSearchParams(typed).toString());
    });

    // A second press does nothing; one that takes long says so.
    let sending = null;
    form.addEventListener('submit', (event) => {
      if (sending) { event.preventDefault(); return; }
      sending = [[300, 'Sending…'], [8000, 'Still trying; nothing is lost']]
        .map(([after, words]) => setTimeout(() => { send.textContent = words; }, after));
    });
    addEventListener('pageshow', () => { (sending || []).forEach(clearTimeout); sending = null; label(); }, { signal });

    const picks = answers.filter((field) => field.type === 'radio').slice(0, 9);
    const hint = (text) => Object.assign(document.createElement('kbd'), { textContent: text, ariaHidden: 'true' });
    picks.forEach((pick, index) => pick.closest('.pick').append(hint(index + 1)));
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        form.requestSubmit(send);
      }
      const pick = single(event) && picks[event.key - 1];
      if (pick) { pick.click(); pick.focus(); }
    }, { signal });
  };
  all('form[data-draft]').forEach((form) => live(form));

  // From any page for people who are known: g and then the first letter of where to.
  let isGoing = false;
  document.addEventListener('keydown', (event) => {
    if (!single(event)) return;
    const to = isGoing && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    isGoing = event.key === 'g';
    if (to) { event.preventDefault(); event.stopImmediatePropagation(); to.click(); }
  });

  globalThis.hitl = { all, attempt, live, showTimes, single, sent };
})();
