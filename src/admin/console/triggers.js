// The webhook of a fleet: one secret URL that can be made, copied, replaced and removed.
import { get, post, put, remove } from './api.js';
import { h, say, show } from './dom.js';
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

export async function triggers(place, page, fleet) {
  const path = `/fleets/${fleet.id}/webhook`;
  const last = h('p', { class: 'soft' });

  let drawn = '';
  function drawCalls({ last_request: request, requests, created_at: made }) {
    if (drawn === (drawn = JSON.stringify([made, request, requests.accepted, requests.refused])))
      return;
    const answer =
      request &&
      (request.status === 201
        ? ['201 · ', briefly(request.answer_us)]
        : [
            h(
              'span',
              { class: 'refused' },
              request.status
                ? `${request.status} ${refusals[request.status] ?? 'refused'}`
                : 'broke off, without an answer',
            ),
            request.status && [' · ', briefly(request.answer_us)],
          ]);
    show(
      last,
      request
        ? [
            'Last request ',
            time(request.at),
            ' · ',
            answer,
            request.remote_addr && ` · ${request.remote_addr}`,
          ]
        : ['This URL, made ', time(made), ', has not been called yet.'],
      requests.accepted + requests.refused > 0 &&
        ` · ${requests.accepted} accepted today, ${requests.refused} refused`,
    );
  }

  function drawNone() {
    shown = undefined;
    change(
      empty(
        'No webhook yet',
        h('p', null, 'A webhook lets any service start this fleet with a POST.'),
        actionButton(
          'Add webhook',
          async () => {
            draw(
              await post(path).catch((error) => {
                lookAgain();
                throw error;
              }),
            );
            say('Webhook added');
          },
          { class: 'main' },
        ),
      ),
    );
  }

  /** Removed elsewhere meanwhile: what is shown must not be copied. */
  function gone(error) {
    if (error.status === 404) drawNone();
    throw error;
  }

  const lookAgain = async () => {
    const before = shown;
    const now = await get(`${path}?since=${midnight()}`).catch((error) =>
      error.status === 404 ? null : undefined,
    );
    if (!page.isOpen() || now === undefined || shown !== before) return;
    if (now?.url !== shown) now ? draw(now) : drawNone();
    else if (now) drawCalls(now);
  };
  const whenSeen = () => {
    if (!document.hidden) lookAgain();
  };
  document.addEventListener('visibilitychange', whenSeen);
  page.onLeave(() => document.removeEventListener('visibilitychange', whenSeen));
  const look = gather(lookAgain, COUNTED_MS);
  let shown;

  /** It was replaced or removed elsewhere while it was asked about. */
  function isAnother(webhook) {
    if (shown === webhook.url) return false;
    say('The webhook was changed elsewhere meanwhile: nothing was done', 'error');
    return true;
  }

  /** Whoever was at one of the buttons is at the first of the new ones. */
  function change(...children) {
    const hadFocus = place.contains(document.activeElement);
    show(place, ...children);
    if (hadFocus) place.querySelector('button')?.focus({ preventScroll: true });
  }

  function draw(webhook) {
    shown = webhook.url;
    if (!webhook.url) {
      show(
        place,
        h(
          'p',
          { class: 'problem' },
          'There is a webhook, and it works, but its URL cannot be shown: webhookd lacks the key that it was sealed with.',
        ),
      );
      return;
    }
    change(
      h(
        'div',
        { class: 'row' },
        h(
          'span',
          { class: 'url', title: 'The rest of it is copied, not shown' },
          shortened(webhook.url),
        ),
        copyButton(webhook.url, 'Copy', { class: 'main' }),
        actionButton('Replace', async () => {
          if (
            !(await confirm(
              'Replace the webhook?',
              'It gets a new URL. The old one stops working at once: whoever still uses it gets an error.',
              'Replace',
            ))
          )
            return;
          if (isAnother(webhook)) return;
          draw(await put(`${path}?since=${midnight()}`).catch(gone));
          say('Replaced: the old URL is gone');
        }),
        actionButton(
          'Remove',
          async () => {
            if (
              !(await confirm(
                'Remove the webhook?',
                'Its URL stops working at once. The fleet and its runs stay.',
                'Remove',
              ))
            )
              return;
            if (isAnother(webhook)) return;
            await remove(path).catch(gone);
            drawNone();
            say('Removed');
          },
          { class: 'danger' },
        ),
      ),
      h(
        'p',
        { class: 'warning' },
        'Anyone with this URL can trigger this fleet via a POST request. Keep it safe and treat it like a password.',
      ),
      h(
        'div',
        { class: 'row between' },
        last,
        actionButton('Send test request', async () => {
          const run = await sendTest(webhook.url, fleet);
          if (!page.isOpen()) return;
          if (run) go(`/runs/${run}`);
          else
            say(
              'It was sent, but no run came of it: does hooks.public_url lead to this webhookd?',
              'error',
            );
        }),
      ),
      examples(webhook.url),
    );
    drawCalls(webhook);
  }

  const webhook = await get(`${path}?since=${midnight()}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!page.isOpen()) return;
  if (webhook) draw(webhook);
  else drawNone();
  page.onLeave(
    watchRuns((change) => {
      if (!change || change.fleet_id === fleet.id) look();
    }),
  );
  const timer = setInterval(whenSeen, LOOK_MS); /* a refused request makes no run, and so no news */
  page.onLeave(() => clearInterval(timer));
}
