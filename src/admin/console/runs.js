// A list of runs that updates by itself without jumping: of one fleet, or of all.
import { get } from './api.js';
import { h, say, show } from './dom.js';
import { duration, ended, shortId, size, time, took } from './format.js';
import { gather, watchRuns } from './live.js';
import { bars, copyId, empty, link, status } from './widgets.js';

const PAGE = 50,
  MOST_LOOKS = 20;
const wideOnly = new Set(['Trigger', 'From', 'Body', 'Version']);
const HOUR_MS = 3600000;
const spans = { '1h': HOUR_MS, '1d': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS };

const select = (label, options) =>
  h(
    'select',
    { 'aria-label': label },
    options.map(([value, text]) => h('option', { value }, text)),
  );

/** What is looked for stands in the address: it outlives a look at a run, and can be sent to somebody. */
function fromAddress(filters) {
  const wanted = new URLSearchParams(location.search);
  for (const [name, field] of Object.entries(filters)) {
    field.value = wanted.get(name) ?? '';
    if (field.selectedIndex === -1) field.value = ''; /* no such choice */
  }
}

function toAddress(filters) {
  const wanted = new URLSearchParams();
  for (const [name, field] of Object.entries(filters))
    if (field.value.trim()) wanted.set(name, field.value.trim());
  history.replaceState(null, '', location.pathname + (wanted.size > 0 ? `?${wanted}` : ''));
}

/** Fills the element; fleetId null: runs of all fleets. */
export async function runList(place, page, fleetId) {
  const filters = {
    status: select('Status', [
      ['', 'Any status'],
      ['scheduled', 'waiting'],
      ['running', 'running'],
      ['success', 'success'],
      ['errored', 'errored'],
      ['terminated', 'terminated'],
    ]),
    trigger: select('Trigger', [
      ['', 'Any trigger'],
      ['webhook', 'webhook'],
      ['on_demand', 'on demand'],
      ['api', 'API'],
    ]),
    since: select('Since', [
      ['', 'Any time'],
      ['1h', 'Last hour'],
      ['1d', 'Last day'],
      ['7d', 'Last week'],
    ]),
    id: h('input', {
      type: 'search',
      placeholder: 'Id or request id',
      'aria-label': 'Id or request id',
      class: 'mono',
      spellcheck: 'false',
    }),
  };
  fromAddress(filters);
  const chart = h('div'),
    news = h('div'),
    body = h('tbody'),
    more = h('div', { class: 'row' }),
    none = h('div');
  const titles = [
    'Run',
    fleetId ? null : 'Fleet',
    'Event',
    'Trigger',
    'From',
    'Body',
    'Started',
    'Version',
    'Duration',
  ].filter(Boolean);
  const table = h(
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
          h('th', null, 'Status'),
          titles.map((title) =>
            h(
              'th',
              {
                class: [
                  title === 'Body' || title === 'Duration' ? 'number' : '',
                  wideOnly.has(title) ? 'hide-narrow' : '',
                ].join(' '),
              },
              title,
            ),
          ),
        ),
      ),
      body,
    ),
  );
  let runs = [],
    fresh = [],
    next = null;
  const base = fleetId ? `/fleets/${fleetId}/fleetruns` : '/fleetruns';

  function query(extra) {
    const parameters = new URLSearchParams({ limit: String(PAGE), ...extra });
    if (filters.status.value) parameters.set('status', filters.status.value);
    if (filters.trigger.value) parameters.set('trigger', filters.trigger.value);
    if (filters.since.value)
      parameters.set('since', new Date(Date.now() - spans[filters.since.value]).toISOString());
    const id = filters.id.value.trim().toLowerCase();
    if (id) parameters.set('id', id);
    return `${base}?${parameters}`;
  }

  /** An id may be a run's, or the beginning of one, or that of a request. */
  async function ask(extra) {
    const page1 = await get(query(extra));
    const id = filters.id.value.trim();
    if (page1.fleetruns.length > 0 || id.length !== 36) return page1;
    const parameters = new URLSearchParams(query(extra).split('?')[1]);
    parameters.delete('id');
    parameters.set('request_id', id);
    return get(`${base}?${parameters}`);
  }

  const row = (run) => {
    run.cells = {
      status: h('td', null, status(run.status)),
      duration: h('td', { class: 'number' }, duration(took(run))),
      started: h('td', null, time(run.started_at, 'not yet')),
    };
    return h(
      'tr',
      null,
      run.cells.status,
      h(
        'td',
        null,
        link(`/runs/${run.id}`, h('span', { class: 'mono' }, shortId(run.id))),
        copyId(run.id),
      ),
      fleetId ? null : h('td', null, link(`/fleets/${run.fleet_id}`, run.fleet_name)),
      h('td', null, run.event || h('span', { class: 'none' }, '–')),
      h('td', { class: 'hide-narrow' }, run.trigger.replace('_', ' ')),
      h('td', { class: 'hide-narrow' }, run.remote_addr || h('span', { class: 'none' }, '–')),
      h('td', { class: 'number hide-narrow' }, size(run.body_bytes)),
      run.cells.started,
      h('td', { class: 'hide-narrow' }, `v${run.fleet_version}`),
      run.cells.duration,
    );
  };

  const drawChart = () =>
    show(
      chart,
      runs.length > 0 && [
        h(
          'p',
          { class: 'soft caption' },
          `How long the last ${Math.min(runs.length, PAGE)} took, newest right`,
        ),
        bars(
          runs.slice(0, PAGE).map((run) => ({
            id: run.id,
            status: run.status,
            ms: took(run) || 0,
            text: duration(took(run)),
          })),
        ),
      ],
    );

  const older = h(
    'button',
    { type: 'button', onclick: () => loadMore().catch((error) => say(error.message, 'error')) },
    'Older',
  );
  const drawMore = () => show(more, next && older);

  function draw() {
    drawChart();
    show(body, runs.map(row));
    drawMore();
    table.hidden = runs.length === 0;
    const isFiltered = Object.values(filters).some((filter) => filter.value);
    show(
      none,
      runs.length === 0 &&
        (isFiltered
          ? empty('Nothing matches', h('p', null, 'No run is like this. Try fewer filters.'))
          : empty(
              'No run yet',
              h(
                'p',
                null,
                fleetId
                  ? [
                      'Add a webhook on the ',
                      link(`/fleets/${fleetId}/triggers`, 'Triggers tab'),
                      ' and call it, or run the fleet now.',
                    ]
                  : 'Runs appear here as soon as a webhook is called.',
              ),
            )),
    );
  }

  let asked = 0;
  async function load() {
    const mine = ++asked;
    let page1;
    try {
      page1 = await ask({});
    } catch (error) {
      if (error.status !== 400 || mine !== asked) throw error;
      page1 = { fleetruns: [], next_before: null, why: error.message };
    }
    if (!page.isOpen() || mine !== asked) return;
    runs = page1.fleetruns;
    next = page1.next_before;
    fresh = [];
    show(news);
    draw();
    if (page1.why) show(none, empty('Nothing matches', h('p', null, page1.why)));
  }

  async function loadMore() {
    const page1 = await ask({ before: next });
    const known = new Set(runs.map((run) => run.id)),
      older = page1.fleetruns.filter((run) => !known.has(run.id));
    runs = runs.concat(older);
    next = page1.next_before;
    body.append(...older.map(row));
    drawMore();
  }

  function update(run) {
    const old = runs.find((one) => one.id === run.id);
    if (!old || ended(old.status)) return;
    const { cells } = old;
    Object.assign(old, run, { cells });
    show(cells.status, status(old.status));
    show(cells.started, time(old.started_at, 'not yet'));
    show(cells.duration, duration(took(old)));
  }

  /** What is there is changed in its place; what is new waits for a click, unless the list is at its top and short. */
  const look = gather(async () => {
    if (!page.isOpen()) return;
    const page1 = await ask({}).catch(() => null);
    if (!page1 || !page.isOpen()) return;
    page1.fleetruns.forEach(update);
    const told = new Set(
      page1.fleetruns.map((run) => run.id),
    ); /* one that has changed may match no longer */
    for (const run of runs
      .filter((one) => !ended(one.status) && !told.has(one.id))
      .slice(0, MOST_LOOKS))
      await get(`/fleetruns/${run.id}`).then(update, () => {});
    if (!page.isOpen()) return;
    const known = new Set(runs.map((run) => run.id));
    fresh = page1.fleetruns.filter((run) => !known.has(run.id));
    drawChart();
    if (fresh.length === 0) return;
    if (scrollY < 40 && runs.length <= PAGE) await load();
    else
      show(
        news,
        h(
          'button',
          { type: 'button', onclick: () => load() },
          fresh.length < PAGE ? `${fresh.length} new` : `Over ${PAGE - 1} new`,
        ),
      );
  }, 400);

  const reload = () => {
    toAddress(filters);
    load().catch((error) => say(error.message, 'error'));
  };
  for (const name of ['status', 'trigger', 'since'])
    filters[name].addEventListener('change', reload);
  let typed = 0;
  filters.id.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(reload, 300);
  });
  page.onLeave(() => clearTimeout(typed));
  show(
    place,
    chart,
    h('div', { class: 'row filters' }, filters.status, filters.trigger, filters.since, filters.id),
    news,
    table,
    none,
    more,
  );
  await load();
  page.onLeave(
    watchRuns((change) => {
      if (!change || !fleetId || change.fleet_id === fleetId) look();
    }),
  );
  const timer = setInterval(() => {
    for (const run of runs)
      if (run.status === 'running') show(run.cells.duration, duration(took(run)));
  }, 1000);
  page.onLeave(() => clearInterval(timer));
}

export async function runsPage(main, page) {
  document.title = 'Runs · webhookd';
  const place = h('div', { class: 'card' });
  show(main, h('h1', null, 'Runs'), place);
  await runList(place, page, null);
}
