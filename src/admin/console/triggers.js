// The Triggers tab of a fleet: its webhook, one secret URL that can be created, copied, replaced
// and removed.
import { get, hasStatus, messageOf, orNull, post, put, remove } from './api.js';
import { h, keyed, say, show } from './dom.js';
import { duration, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import { refusedRequests } from './refused.js';
import { actionButton, confirm, copyButton, empty, scrollable } from './widgets.js';

/** @import { Child, Fleet, Page, Webhook, WebhookRequest } from './types.d.ts' */

const SHOWN_TO = 'whk_'.length + 4;
const WAIT_MS = 8000;
const LOOK_MS = 2000;
/** A request is usually counted within this time after its answer. */
const COUNTED_MS = 700;

/** @type {Record<number, string | undefined>} */
const refusals = {
  400: 'malformed HTTP',
  413: 'body too large',
  503: 'could not be stored',
};

/**
 * The beginning of a URL: enough to recognize it, too little to use it.
 *
 * @param {string} url
 */
function shortened(url) {
  const at = url.indexOf('whk_');
  return at < 0 ? url : `${url.slice(0, at + SHOWN_TO)}…`;
}

/* ---- examples ---- */

/** @param {string} url */
const curlExample = (url) => `curl -X POST '${url.replaceAll("'", "'\\''")}' \\
  -H 'Content-Type: application/json' \\
  -d '{"hello": "world"}'`;

/** @param {string} url */
const pythonExample = (url) => `import requests

answer = requests.post(${JSON.stringify(url)}, json={"hello": "world"}, timeout=10)
answer.raise_for_status()
print(answer.json()["data"]["fleet_run_id"])`;

/** @param {string} url */
const nodeExample = (url) => `const answer = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ hello: "world" }),
});
if (!answer.ok) throw new Error(answer.status);
console.log((await answer.json()).data.fleet_run_id);`;

const languages = [
  { name: 'curl', example: curlExample },
  { name: 'Python', example: pythonExample },
  { name: 'Node', example: nodeExample },
];

/**
 * Examples show the shortened URL. The copy button copies them with the whole URL.
 *
 * @param {string} url
 */
function examples(url) {
  const text = scrollable(h('pre', { class: 'block wrap' }), 'Example');
  const buttons = languages.map(({ name }, i) =>
    h('button', { type: 'button', onclick: () => choose(i) }, name),
  );
  let chosen = 0;

  /** @param {number} i */
  function choose(i) {
    chosen = i;
    show(text, languages[i].example(shortened(url)));
    buttons.forEach((button, j) => button.setAttribute('aria-pressed', String(j === i)));
  }
  choose(chosen);
  const copy = copyButton(() => languages[chosen].example(url), 'Copy with full URL');
  return [h('h2', null, 'Send a request'), h('div', { class: 'row' }, buttons, copy), h('p'), text];
}

/* ---- requests ---- */

/** Since midnight, in the time zone of the browser. */
const today = () => `since=${new Date(new Date().setHours(0, 0, 0, 0)).toISOString()}`;

/** @param {number} us */
const briefly = (us) => (us < 10000 ? `${(us / 1000).toFixed(1)} ms` : duration(us / 1000));

/**
 * Sends a request from this browser to the real URL. The browser hides the answer, since the URL
 * has another origin, so the run is recognized by its query. Resolves to the run's id, or to null
 * if no run appears in time.
 *
 * @param {string} url
 * @param {Fleet} fleet
 */
async function sendTest(url, fleet) {
  const mark = crypto.getRandomValues(new Uint32Array(2)).join('-');
  /** @type {(runId: string | null) => void} */
  let arrived = () => {};
  /** @type {Promise<string | null>} */
  const news = new Promise((resolve) => {
    arrived = resolve;
  });
  const end = watchRuns(async (change) => {
    if (!change || change.fleet_id !== fleet.id || change.status !== 'scheduled') return;
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
      `This browser cannot reach ${new URL(url).origin}. ` +
        'Check that hooks.public_url is correct and that this computer can reach it.',
    );
  } finally {
    setTimeout(() => {
      arrived(null);
      end();
    }, WAIT_MS);
  }
  return news;
}

/**
 * The answer to a request: its status and the time that it took.
 *
 * @param {WebhookRequest} request
 */
function answerTo(request) {
  const took = ` · ${briefly(request.answer_us ?? 0)}`;
  if (request.status === 201) return ['201', took];
  if (!request.status) return h('span', { class: 'refused' }, 'closed without an answer');
  const why = `${request.status} ${refusals[request.status] ?? 'refused'}`;
  return [h('span', { class: 'refused' }, why), took];
}

/**
 * The last request to the URL, and how many requests the webhook got today.
 *
 * @param {Webhook} webhook
 */
function requestsTo({ last_request: last, requests, created_at: made }) {
  const { accepted, refused } = requests;
  const counts = accepted + refused > 0 && `${accepted} accepted today, ${refused} refused`;
  if (!last) {
    const earlier = counts && ` · with earlier URLs: ${counts}`;
    return ['This URL was created ', time(made), ' and has not received a request yet', earlier];
  }
  const from = last.remote_addr && ` · ${last.remote_addr}`;
  return ['Last request ', time(last.at), ' · ', answerTo(last), from, counts && ` · ${counts}`];
}

/* ---- the tab ---- */

/**
 * Identifies what the page shows: a URL, or no webhook.
 *
 * @param {Webhook | null} webhook
 */
const keyOf = (webhook) => webhook?.url ?? 'none';

/**
 * Fills `place` with the webhook of a fleet.
 *
 * @param {Element} place
 * @param {Page} page
 * @param {Fleet} fleet
 */
export async function triggers(place, page, fleet) {
  const path = /** @type {const} */ (`/fleets/${fleet.id}/webhook`);
  const requests = h('p', { class: 'soft' });
  const refused = refusedRequests();
  /** @type {Webhook | null} */
  let shown = null;

  /**
   * Shows a webhook, or that there is none. If the focused button disappears, the first new button
   * gets the focus.
   *
   * @param {Webhook | null} webhook
   */
  function draw(webhook) {
    const hadFocus = place.contains(document.activeElement);
    shown = webhook;
    keyed(
      place,
      [webhook],
      keyOf,
      () => h('div', null, build(webhook)),
      () => show(requests, webhook && requestsTo(webhook)),
    );
    if (webhook) refused.draw(webhook).catch(() => {}); // live.js says that webhookd is away
    if (hadFocus && !place.contains(document.activeElement))
      place.querySelector('button')?.focus({ preventScroll: true });
  }

  const read = () => orNull(get(`${path}?${today()}`));

  async function lookAgain() {
    const before = keyOf(shown);
    const now = await read().catch(() => undefined);
    if (page.isOpen() && now !== undefined && keyOf(shown) === before) draw(now);
  }

  /**
   * After a failed request: if the webhook was removed elsewhere, its URL is no longer offered.
   *
   * @param {unknown} error
   * @returns {never}
   */
  function whenGone(error) {
    if (hasStatus(error, 404)) draw(null);
    throw error;
  }

  /**
   * Whether the webhook was replaced or removed elsewhere while the confirmation was open.
   *
   * @param {Webhook} webhook
   */
  function isAnother(webhook) {
    if (keyOf(shown) === keyOf(webhook)) return false;
    say('Nothing was done: the webhook has been changed elsewhere in the meantime', 'error');
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

  /** @param {Webhook} webhook */
  async function replaceIt(webhook) {
    const isSure = await confirm(
      'Replace the webhook?',
      'The webhook gets a new URL. The old URL stops working immediately: requests to it fail.',
      'Replace',
    );
    if (!isSure || isAnother(webhook)) return;
    draw(await put(`${path}?${today()}`).catch(whenGone));
    say('Webhook replaced: the old URL no longer works');
  }

  /** @param {Webhook} webhook */
  async function removeIt(webhook) {
    const isSure = await confirm(
      'Remove the webhook?',
      'Its URL stops working immediately. The fleet and its fleet runs are kept.',
      'Remove',
    );
    if (!isSure || isAnother(webhook)) return;
    await remove(path).catch(whenGone);
    draw(null);
    say('Webhook removed');
  }

  /** @param {string} url */
  async function test(url) {
    const isSure = await confirm(
      'Send a test request?',
      `It starts ${fleet.name} as a real request does.`,
      'Send',
      'main',
    );
    if (!isSure) return;
    const runId = await sendTest(url, fleet);
    if (!page.isOpen()) return;
    const why =
      'The request was sent, but no fleet run started. ' +
      'Check that hooks.public_url leads to this webhookd.';
    if (runId) go(`/runs/${runId}`);
    else say(why, 'error');
  }

  /**
   * @param {Webhook | null} webhook
   * @returns {Child}
   */
  function build(webhook) {
    if (!webhook) {
      return empty(
        'No webhook yet',
        h('p', null, 'A webhook lets any service start this fleet with a POST.'),
        actionButton('Add webhook', add, { class: 'main' }),
      );
    }
    const { url } = webhook;
    const title = 'The Copy button copies the full URL';
    return [
      h(
        'div',
        { class: 'row' },
        h('span', { class: 'url', title }, shortened(url)),
        copyButton(url, 'Copy', { class: 'main' }),
        actionButton('Replace', () => replaceIt(webhook)),
        actionButton('Remove', () => removeIt(webhook), { class: 'danger' }),
      ),
      h(
        'p',
        { class: 'warning' },
        'Anyone with this URL can trigger this fleet via a POST request. ' +
          'Keep it safe and treat it like a password.',
      ),
      h(
        'div',
        { class: 'row between' },
        requests,
        actionButton('Send test request', () => test(url)),
      ),
      refused.element,
      examples(url),
    ];
  }

  /**
   * A webhook may work although its URL cannot be shown, because secret.key is missing. lookAgain()
   * shows it once the key is back.
   *
   * @param {unknown} error
   */
  function showProblem(error) {
    if (!hasStatus(error, 503)) throw error;
    if (page.isOpen()) show(place, h('p', { class: 'problem', role: 'alert' }, messageOf(error)));
  }

  const first = await read().catch(showProblem);
  if (!page.isOpen()) return;
  if (first !== undefined) draw(first);
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
  const timer = setInterval(whenSeen, LOOK_MS); // a refused request creates no run, and so no news
  page.onLeave(() => clearInterval(timer));
}
