// A run: its vessels as they go, and what it was started with.
import { address, get, getBytes, post } from './api.js';
import { gantt } from './charts.js';
import { h, keyed, show } from './dom.js';
import { elapsed, ended, size, time, timeOfDay } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import { table } from './table.js';
import {
  actionButton,
  copyButton,
  crumbs,
  drawFacts,
  idButton,
  link,
  status,
  tabs,
} from './widgets.js';

const SHOWN_BYTES = 256 * 1024;

/* ---- overview ---- */

const vesselColumns = (runId) => [
  { title: 'Status', cell: (vessel) => status(vessel.status) },
  { title: 'Vessel', cell: (vessel) => link(`/runs/${runId}/vessels/${vessel.id}`, vessel.name) },
  { title: 'Attempts', cell: (vessel) => String(vessel.attempts) },
  { title: 'Exit', cell: (vessel) => String(vessel.exit_code ?? '–') },
  { title: 'Reason', class: 'wide', cell: (vessel) => vessel.reason },
  { title: 'Started', cell: (vessel) => timeOfDay(vessel.started_at) },
  { title: 'Duration', cell: elapsed },
  { title: 'Output', cell: (vessel) => (ended(vessel.status) ? size(vessel.output_bytes) : '…') },
];

/** The vessels of a run, as bars and as a table. */
function overview(runId) {
  const chart = gantt(runId);
  const picture = h('div', null, chart.element);
  const vessels = table(vesselColumns(runId), (vessel) => vessel.id);
  const note = h('p', { class: 'soft' }, 'Nothing has started yet: the run waits for its turn.');
  return {
    elements: [picture, vessels.element, note],
    draw(run) {
      chart.draw(run.vessels, picture.clientWidth || 900);
      vessels.draw(run.vessels);
      vessels.element.hidden = run.vessels.length === 0;
      note.hidden = run.vessels.length > 0;
    },
  };
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

/** When it began and ended, as far as it has. */
function period(run) {
  if (!run.started_at) return null;
  const start = timeOfDay(run.started_at);
  return run.ended_at ? `${start} – ${timeOfDay(run.ended_at)}` : `since ${start}`;
}

const factsOf = (run) => ({
  status: status(run.status),
  trigger: run.trigger.replace('_', ' '),
  version: `v${run.fleet_version}`,
  duration: elapsed(run),
  arrived: ['arrived ', time(run.created_at)],
  period: period(run),
});

export async function runPage(main, page) {
  const [id, tab = 'overview'] = page.parts;
  const action = h('span');
  const facts = h('div', { class: 'facts' });
  const place = h('section', { class: 'card' }, '…');
  const vessels = overview(id);
  let run = await get(`/fleetruns/${id}`);
  let isStopping = false;
  const fleet = await get(`/fleets/${run.fleet_id}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!page.isOpen()) return;
  document.title = `${run.fleet_name}: run · webhookd`;

  async function again() {
    const started = await post(`/fleetruns/${id}/again`);
    go(`/runs/${started.id}`);
  }

  /** Stands where Stop stood: a click that was meant for that does nothing. */
  function againButton(wasStop) {
    const isNewer = fleet.version !== run.fleet_version;
    const label = isNewer ? `Run again, with v${fleet.version}` : 'Run again';
    const button = actionButton(label, again);
    if (wasStop) {
      button.ariaDisabled = 'true';
      setTimeout(() => {
        button.ariaDisabled = null;
      }, 1000);
    }
    return button;
  }

  async function stop() {
    await post(`/fleetruns/${id}/stop`);
    isStopping = true;
    await load();
  }

  const buttons = {
    stop: () => actionButton('Stop', stop, { class: 'danger' }),
    stopping: () => h('button', { type: 'button', class: 'danger', disabled: true }, 'Stopping…'),
    again: () => againButton(action.childElementCount > 0),
  };

  /** What can be done with the run now: names of buttons. */
  function actions() {
    if (!ended(run.status)) return [isStopping ? 'stopping' : 'stop'];
    return fleet ? ['again'] : [];
  }

  function draw() {
    keyed(
      action,
      actions(),
      (name) => name,
      (name) => buttons[name](),
      () => {},
    );
    drawFacts(facts, factsOf(run));
    vessels.draw(run);
  }

  async function load() {
    run = await get(`/fleetruns/${id}`);
    if (page.isOpen()) draw();
  }

  const name = fleet
    ? link(`/fleets/${run.fleet_id}`, run.fleet_name)
    : h('span', null, `${run.fleet_name} (deleted)`);
  const pages = [
    ['overview', `/runs/${id}`, 'Overview'],
    ['parameters', `/runs/${id}/parameters`, 'Webhook parameters'],
  ];
  if (tab === 'overview') show(place, vessels.elements);
  show(
    main,
    crumbs(link('/', 'Fleets'), name),
    h('div', { class: 'row between' }, h('h1', null, 'Run ', idButton(run.id)), action),
    facts,
    tabs(pages, tab),
    place,
  );
  draw();
  addEventListener('resize', draw);
  page.onLeave(() => removeEventListener('resize', draw));
  if (tab === 'parameters') await parameters(place, page, run);
  if (ended(run.status)) return;
  const look = gather(() => page.isOpen() && load());
  page.onLeave(
    watchRuns((change) => {
      if (!change || change.run_id === id) look();
    }),
  );
  // The vessels change without the run's status changing.
  const timer = setInterval(() => {
    if (ended(run.status)) clearInterval(timer);
    else look();
  }, 1000);
  page.onLeave(() => clearInterval(timer));
}
