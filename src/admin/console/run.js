// A run: its vessels as they go, and what it was started with.
import { address, get, getBytes, post } from './api.js';
import { h, show, svg } from './dom.js';
import { duration, ended, size, time, timeOfDay, took } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import {
  actionButton,
  copyButton,
  crumbs,
  idButton,
  link,
  status,
  statusWord,
  tabs,
} from './widgets.js';

const SHOWN_BYTES = 256 * 1024;

/* ---- overview ---- */

function gantt(run, room) {
  const begun = run.vessels.filter((vessel) => vessel.started_at);
  if (begun.length === 0) return null;
  const from = Math.min(...begun.map((vessel) => +new Date(vessel.started_at)));
  const until = Math.max(
    from + 1,
    ...begun.map((vessel) => (vessel.ended_at ? +new Date(vessel.ended_at) : Date.now())),
  );
  /* Names beside the bars, or above them where there is little room. */
  const width = Math.max(280, room),
    isNarrow = width < 620,
    left = isNarrow ? 0 : 180,
    height = isNarrow ? 44 : 26,
    bar = isNarrow ? 22 : 5;
  const x = (at) => left + ((at - from) / (until - from)) * (width - left - 80);
  return svg(
    'svg',
    {
      class: 'gantt',
      viewBox: `0 0 ${width} ${begun.length * height}`,
      role: 'group',
      'aria-label': 'When each vessel ran',
    },
    begun.map((vessel, i) => {
      const start = x(+new Date(vessel.started_at)),
        end = x(vessel.ended_at ? +new Date(vessel.ended_at) : Date.now());
      return svg(
        'g',
        null,
        svg(
          'text',
          { x: 0, y: i * height + 17 },
          vessel.name.length > 24 ? `${vessel.name.slice(0, 23)}…` : vessel.name,
        ),
        svg(
          'a',
          { href: `/runs/${run.id}/vessels/${vessel.id}`, tabindex: '-1' },
          svg('title', null, `${vessel.name}: ${statusWord(vessel.status)}`),
          svg('rect', {
            class: `bar ${vessel.status}`,
            x: start,
            y: i * height + bar,
            width: Math.max(3, end - start),
            height: 16,
            rx: 3,
          }),
        ),
        svg(
          'text',
          { x: Math.max(start + 3, end) + 6, y: i * height + bar + 12 },
          duration(took(vessel)),
        ),
      );
    }),
  );
}

function vesselTable(run) {
  if (run.vessels.length === 0)
    return h('p', { class: 'soft' }, 'Nothing has started yet: the run waits for its turn.');
  return h(
    'div',
    { class: 'table' },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          ['Status', 'Vessel', 'Attempts', 'Exit', 'Reason', 'Started', 'Duration', 'Output'].map(
            (title) => h('th', null, title),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        run.vessels.map((vessel) =>
          h(
            'tr',
            null,
            h('td', null, status(vessel.status)),
            h('td', null, link(`/runs/${run.id}/vessels/${vessel.id}`, vessel.name)),
            h('td', null, String(vessel.attempts)),
            h('td', null, vessel.exit_code === null ? '–' : String(vessel.exit_code)),
            h('td', { class: 'wide' }, vessel.reason ?? ''),
            h('td', null, timeOfDay(vessel.started_at)),
            h('td', { 'data-took': vessel.id }, duration(took(vessel))),
            h('td', null, ended(vessel.status) ? size(vessel.output_bytes) : '…'),
          ),
        ),
      ),
    ),
  );
}

/* ---- parameters ---- */

const decoder = new TextDecoder('utf-8', { fatal: true });
function asText(bytes) {
  try {
    const text = decoder.decode(bytes);
    return /[\0-\x08\x0e-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** Laid out, and otherwise as it was sent: numbers too large for this language, and keys that come twice, stay as they are. */
function asJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = '',
    depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '{' || token === '[') {
      depth++;
      out += token + line();
    } else if (token === '}' || token === ']') {
      depth--;
      out = /[{[]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ',') out += token + line();
    else out += token === ':' ? ': ' : token;
  }
  return out;
}

function asHex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const piece = [...bytes.subarray(at, at + 16)];
    lines.push(
      `${at.toString(16).padStart(8, '0')}  ${piece
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(' ')
        .padEnd(
          47,
        )}  ${piece.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}`,
    );
  }
  return lines.join('\n');
}

function bodyView(bytes, isCut) {
  const text = asText(bytes),
    json = isCut || text === null ? null : asJson(text);
  const views = [
    json !== null && ['JSON', json],
    text !== null && ['Text', text],
    ['Hex', asHex(bytes.subarray(0, 16384)) + (bytes.length > 16384 ? '\n…' : '')],
  ].filter(Boolean);
  const pre = h('pre', { class: 'block wrap', tabindex: '0', 'aria-label': 'Body' });
  const buttons = views.map(([name, value]) =>
    h('button', { type: 'button', onclick: () => choose(name, value) }, name),
  );
  function choose(name, value) {
    pre.textContent = value;
    buttons.forEach((button) =>
      button.setAttribute('aria-pressed', String(button.textContent === name)),
    );
  }
  choose(...views[0]);
  return [h('div', { class: 'row' }, buttons), h('p'), pre];
}

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf(run, headers, bytes) {
  const own = new Set([
    'content-length',
    'host',
    'connection',
    'transfer-encoding',
    'accept-encoding',
  ]);
  const lines = Object.entries(headers)
    .filter(([name]) => !own.has(name.toLowerCase()))
    .flatMap(([name, values]) =>
      values.map((value) => `-H ${shell(value === '' ? `${name};` : `${name}: ${value}`)}`),
    );
  const text = asText(bytes);
  return [
    'curl -X POST "$WEBHOOK_URL"',
    ...lines,
    text === null ? '--data-binary @body' : `--data-raw ${shell(text)}`,
  ].join(' \\\n  ');
}

async function parameters(place, page, run) {
  const headers = await get(`/fleetruns/${run.id}/headers`);
  const isCut = run.body_bytes > 8 * 1024 * 1024;
  const bytes =
    isCut || run.body_bytes === 0 ? new Uint8Array() : await getBytes(`/fleetruns/${run.id}/body`);
  if (!page.isOpen()) return;
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const names = Object.entries(headers);
  show(
    place,
    h(
      'div',
      { class: 'facts' },
      h('span', null, 'Request ', idButton(run.request_id)),
      h('span', null, 'From ', h('b', null, run.remote_addr || '–')),
      run.host && h('span', null, 'Host ', h('b', null, run.host)),
      run.query_string &&
        h('span', null, 'Query ', h('b', { class: 'mono' }, `?${run.query_string}`)),
    ),
    h('p'),
    h('h2', null, 'Headers'),
    names.length === 0
      ? h('p', { class: 'soft' }, 'No headers.')
      : h(
          'div',
          { class: 'table' },
          h(
            'table',
            null,
            h(
              'tbody',
              null,
              names.flatMap(([name, values]) =>
                values.map((value) =>
                  h(
                    'tr',
                    null,
                    h('td', { class: 'mono' }, name),
                    h('td', { class: 'wide mono' }, value),
                  ),
                ),
              ),
            ),
          ),
        ),
    h('p'),
    h('h2', null, 'Body'),
    h(
      'div',
      { class: 'row' },
      h('span', { class: 'soft' }, size(run.body_bytes)),
      run.body_bytes > 0 && copyButton(run.body_sha256, 'Copy SHA-256', { title: run.body_sha256 }),
      run.body_bytes > 0 &&
        h(
          'a',
          {
            class: 'button',
            href: address(`/fleetruns/${run.id}/body`),
            download: `${run.id}.body`,
          },
          'Download',
        ),
      !isCut &&
        copyButton(
          () => curlOf(run, headers, bytes),
          'Copy as curl',
          {},
          'Copied: set WEBHOOK_URL to the URL first',
        ),
    ),
    h('p'),
    run.body_bytes === 0
      ? h('p', { class: 'soft' }, 'No body.')
      : isCut
        ? h('p', { class: 'soft' }, 'It is too large to be shown here: download it.')
        : [
            bodyView(shown, shown.length < bytes.length),
            shown.length < bytes.length &&
              h('p', { class: 'soft' }, `These are the first ${size(SHOWN_BYTES)}.`),
          ],
  );
}

/* ---- the page ---- */

export async function runPage(main, page) {
  const [id, tab = 'overview'] = page.parts;
  const head = h('div'),
    place = h('section', { class: 'card' }, '…');
  let run = await get(`/fleetruns/${id}`);
  const fleet = await get(`/fleets/${run.fleet_id}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!page.isOpen()) return;
  document.title = `${run.fleet_name}: run · webhookd`;

  /* It stands where Stop stood: a click that was meant for that does nothing. */
  function againButton(wasStop) {
    const button = actionButton(
      fleet.version === run.fleet_version ? 'Run again' : `Run again, with v${fleet.version}`,
      async () => {
        const again = await post(`/fleetruns/${id}/again`);
        go(`/runs/${again.id}`);
      },
    );
    if (wasStop) {
      button.ariaDisabled = 'true';
      setTimeout(() => {
        button.ariaDisabled = null;
      }, 1000);
    }
    return button;
  }

  let isStopping = false;
  async function stop() {
    await post(`/fleetruns/${id}/stop`);
    isStopping = true;
    await load();
  }

  const tookSoFar = h('span');
  function drawHead() {
    const wasStop = head.childElementCount > 0;
    show(
      head,
      crumbs(
        link('/', 'Fleets'),
        fleet
          ? link(`/fleets/${run.fleet_id}`, run.fleet_name)
          : h('span', null, `${run.fleet_name} (deleted)`),
      ),
      h(
        'div',
        { class: 'row between' },
        h('h1', null, 'Run ', idButton(run.id)),
        ended(run.status)
          ? fleet && againButton(wasStop)
          : isStopping
            ? h('button', { type: 'button', class: 'danger', disabled: true }, 'Stopping…')
            : actionButton('Stop', stop, { class: 'danger' }),
      ),
      h(
        'div',
        { class: 'facts' },
        status(run.status),
        h('span', null, run.trigger.replace('_', ' ')),
        h('span', null, `v${run.fleet_version}`),
        tookSoFar,
        h('span', null, 'arrived ', time(run.created_at)),
        run.started_at &&
          h(
            'span',
            null,
            run.ended_at
              ? `${timeOfDay(run.started_at)} – ${timeOfDay(run.ended_at)}`
              : `since ${timeOfDay(run.started_at)}`,
          ),
      ),
    );
  }

  const picture = h('div'),
    table = h('div');

  /** What did not change stays, with the focus and the selection that are in it. */
  let drawn = '',
    drawnHead = '';
  function draw() {
    const now = JSON.stringify(run.vessels),
      head1 = `${run.status} ${run.started_at} ${isStopping}`;
    if (head1 !== drawnHead) drawHead();
    if (now !== drawn) show(table, vesselTable(run));
    show(picture, gantt(run, picture.clientWidth || 900));
    show(tookSoFar, duration(took(run)));
    for (const vessel of run.vessels)
      if (!ended(vessel.status))
        show(table.querySelector(`[data-took="${vessel.id}"]`), duration(took(vessel)));
    drawn = now;
    drawnHead = head1;
  }

  async function load() {
    run = await get(`/fleetruns/${id}`);
    if (page.isOpen()) draw();
  }

  if (tab === 'overview') show(place, picture, table);
  show(
    main,
    head,
    tabs(
      [
        ['overview', `/runs/${id}`, 'Overview'],
        ['parameters', `/runs/${id}/parameters`, 'Webhook parameters'],
      ],
      tab,
    ),
    place,
  );
  draw();
  const refit = () => {
    if (run.vessels.length > 0) draw();
  };
  addEventListener('resize', refit);
  page.onLeave(() => removeEventListener('resize', refit));
  if (tab === 'parameters') await parameters(place, page, run);
  if (ended(run.status)) return;
  const look = gather(() => page.isOpen() && load());
  page.onLeave(
    watchRuns((change) => {
      if (!change || change.run_id === id) look();
    }),
  );
  /* Its vessels change without the run's status changing. */
  const timer = setInterval(() => {
    if (ended(run.status)) clearInterval(timer);
    else look();
  }, 1000);
  page.onLeave(() => clearInterval(timer));
}
