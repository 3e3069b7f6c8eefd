// The webhook of a fleet: one secret URL that can be made, copied, replaced and removed.
import { get, post, put, remove } from './api.js';
import { h, keyed, say, show } from './dom.js';
import { duration, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import { actionButton, confirm, copyButton, empty } from './widgets.js';

const HIDDEN_BEHIND = 'whk_'.length + 4;

/** As much as tells two apart, and not enough to be used by who looks over a shoulder. */
function shortened(url) {
  const at = url.indexOf('whk_');
  return at < 0 ? url : `${url.slice(0, at + HIDDEN_BEHIND)}…`;
}

const quoted = (text) => JSON.stringify(text);
const snippets = {
  curl: (url) =>
    `curl -X POST '${url.replaceAll("'", "'\\''")}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"hello": "world"}'`,
  Python: (url) =>
    `import requests\n\nanswer = requests.post(${quoted(url)}, json={"hello": "world"}, timeout=10)\nanswer.raise_for_status()\nprint(answer.json()["data"]["fleet_run_id"])`,
  Node: (url) =>
    `const answer = await fetch(${quoted(url)}, {\n  method: "POST",\n  headers: { "Content-Type": "application/json" },\n  body: JSON.stringify({ hello: "world" }),\n});\nif (!answer.ok) throw new Error(answer.status);\nconsole.log((await answer.json()).data.fleet_run_id);`,
};

function examples(url) {
  const text = h('pre', { class: 'block wrap', tabindex: '0' });
  const buttons = Object.keys(snippets).map((name) =>
    h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => choose(name) }, name),
  );
  let chosen = 'curl';
  function choose(name) {
    chosen = name;
    text.textContent = snippets[name](shortened(url));
    buttons.forEach((button) =>
      button.setAttribute('aria-pressed', String(button.textContent === name)),
    );
  }
  choose(chosen);
  return [
    h('h2', null, 'Call it'),
    h(
      'div',
      { class: 'row' },
      buttons,
      copyButton(() => snippets[chosen](url), 'Copy with the whole URL'),
    ),
    h('p'),
    text,
  ];
}

const WAIT_MS = 8000,
  LOOK_MS = 2000;
const COUNTED_MS = 700; /* after its answer a request is counted within that time */

const refusals = {
  400: 'not clean HTTP',
  413: 'the body is too large',
  503: 'it could not be stored then',
};

/** Where the people are who look at it. */
const midnight = () => new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
const briefly = (us) => (us < 10000 ? `${(us / 1000).toFixed(1)} ms` : duration(us / 1000));

/** From this browser to the real URL. What it answers is hidden from a page of another origin; that the run arrives is not. */
async function sendTest(url, fleet) {
  const mark = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let arrived;
  const news = new Promise((resolve) => {
    arrived = resolve;
  });
  const end = watchRuns(async (change) => {
    if (change?.fleet_id !== fleet.id || change.status !== 'scheduled') return;
    const run = await get(`/fleetruns/${change.run_id}`).catch(() => null);
    if (run?.query_string === `test=${mark}`) arrived(run.id);
  });
  try {
    await fetch(`${url}?test=${mark}`, {
      method: 'POST',
      mode: 'no-cors',
      credentials: 'omit',
      body: JSON.stringify({ test: true, fleet: fleet.name, sent_at: new Date().toISOString() }),
    });
  } catch {
    throw new Error(
      `This browser cannot reach ${new URL(url).origin}. Is hooks.public_url right, and open to this machine?`,
    );
  } finally {
    setTimeout(() => {
      arrived(null);
      end();
    }, WAIT_MS);
  }
  return news;
}

/** The answer to a request: its status and how long it took. */
function answerTo(request) {
  const took = ` · ${briefly(request.answer_us)}`;
  if (request.status === 201) return ['201', took];
  if (!request.status) return h('span', { class: 'refused' }, 'broke off, without an answer');
  const why = `${request.status} ${refusals[request.status] ?? 'refused'}`;
  return [h('span', { class: 'refused' }, why), took];
}

/** The last request to the URL, and how many there were today. */
function requestsTo({ last_request: last, requests, created_at: made }) {
  const { accepted, refused } = requests;
  const counts = accepted + refused > 0 && ` · ${accepted} accepted today, ${refused} refused`;
  if (!last) return ['This URL, made ', time(made), ', has not been called yet.', counts];
  const from = last.remote_addr && ` · ${last.remote_addr}`;
  return ['Last request ', time(last.at), ' · ', answerTo(last), from, counts];
}

/** Tells what is on the page apart: a URL, a webhook without one, or none. */
const keyOf = (webhook) => (webhook ? (webhook.url ?? 'sealed') : 'none');

export async function triggers(place, page, fleet) {
  const path = `/fleets/${fleet.id}/webhook`;
  const requests = h('p', { class: 'soft' });
  let shown = null;

  /** Shows a webhook, or null. Whoever was at a button that goes is at the first new one. */
  function draw(webhook) {
    const hadFocus = place.contains(document.activeElement);
    shown = webhook;
    keyed(
      place,
      [webhook],
      keyOf,
      () => h('div', null, build(webhook)),
      () => webhook && show(requests, requestsTo(webhook)),
    );
    if (hadFocus && !place.contains(document.activeElement))
      place.querySelector('button')?.focus({ preventScroll: true });
  }

  const read = () =>
    get(`${path}?since=${midnight()}`).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    });

  async function lookAgain() {
    const before = keyOf(shown);
    const now = await read().catch(() => undefined);
    if (page.isOpen() && now !== undefined && keyOf(shown) === before) draw(now);
  }

  /** Removed elsewhere meanwhile: what is shown must not be copied. */
  function gone(error) {
    if (error.status === 404) draw(null);
    throw error;
  }

  /** It was replaced or removed elsewhere while it was asked about. */
  function isAnother(webhook) {
    if (keyOf(shown) === keyOf(webhook)) return false;
    say('The webhook was changed elsewhere meanwhile: nothing was done', 'error');
    return true;
  }

  async function add() {
    const webhook = await post(path).catch((error) => {
      lookAgain();
      throw error;
    });
    draw(webhook);
    say('Webhook added');
  }

  async function replace(webhook) {
    const isSure = await confirm(
      'Replace the webhook?',
      'It gets a new URL. The old one stops working at once: whoever still uses it gets an error.',
      'Replace',
    );
    if (!isSure || isAnother(webhook)) return;
    draw(await put(`${path}?since=${midnight()}`).catch(gone));
    say('Replaced: the old URL is gone');
  }

  async function removeIt(webhook) {
    const isSure = await confirm(
      'Remove the webhook?',
      'Its URL stops working at once. The fleet and its runs stay.',
      'Remove',
    );
    if (!isSure || isAnother(webhook)) return;
    await remove(path).catch(gone);
    draw(null);
    say('Removed');
  }

  async function test(webhook) {
    const runId = await sendTest(webhook.url, fleet);
    if (!page.isOpen()) return;
    if (runId) go(`/runs/${runId}`);
    else
      say(
        'It was sent, but no run came of it: does hooks.public_url lead to this webhookd?',
        'error',
      );
  }

  function build(webhook) {
    if (!webhook)
      return empty(
        'No webhook yet',
        h('p', null, 'A webhook lets any service start this fleet with a POST.'),
        actionButton('Add webhook', add, { class: 'main' }),
      );
    if (!webhook.url)
      return h(
        'p',
        { class: 'problem' },
        'There is a webhook, and it works, but its URL cannot be shown: webhookd lacks the key that it was sealed with.',
      );
    const title = 'The rest of it is copied, not shown';
    return [
      h(
        'div',
        { class: 'row' },
        h('span', { class: 'url', title }, shortened(webhook.url)),
        copyButton(webhook.url, 'Copy', { class: 'main' }),
        actionButton('Replace', () => replace(webhook)),
        actionButton('Remove', () => removeIt(webhook), { class: 'danger' }),
      ),
      h(
        'p',
        { class: 'warning' },
        'Anyone with this URL can trigger this fleet via a POST request. Keep it safe and treat it like a password.',
      ),
      h(
        'div',
        { class: 'row between' },
        requests,
        actionButton('Send test request', () => test(webhook)),
      ),
      examples(webhook.url),
    ];
  }

  const webhook = await read();
  if (!page.isOpen()) return;
  draw(webhook);
  const whenSeen = () => {
    if (!document.hidden) lookAgain();
  };
  document.addEventListener('visibilitychange', whenSeen);
  page.onLeave(() => document.removeEventListener('visibilitychange', whenSeen));
  const look = gather(lookAgain, COUNTED_MS);
  page.onLeave(
    watchRuns((change) => {
      if (!change || change.fleet_id === fleet.id) look();
    }),
  );
  const timer = setInterval(whenSeen, LOOK_MS); // a refused request makes no run, and so no news
  page.onLeave(() => clearInterval(timer));
}
