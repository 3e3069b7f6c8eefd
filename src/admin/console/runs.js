// The list of fleet runs, of one fleet or of all. It updates by itself without jumping.
import { get, hasStatus, messageOf } from './api.js';
import { bars } from './charts.js';
import { h, say, set, show } from './dom.js';
import { fromAddress, toAddress } from './fields.js';
import { elapsed, ended, shortId, size, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { keep, kept } from './navigate.js';
import { choices, parametersOf, withFilter } from './run_filter.js';
import { table } from './table.js';
import { copyId, empty, link, named, none, select, status } from './widgets.js';

/**
 * @import { Column, FleetRun, FleetRuns, Page, RunChange, RunsPath, RunStatus } from './types.d.ts'
 */
/** @typedef {ReturnType<typeof createFilters>} Filters */

const PAGE = 50;
const MOST_LOOKS = 20;
/** The API's bound on a page of runs. */
const MOST_KEPT = 1000;
const LOOK_MS = 400;
const EVERY_MS = 1000;
const ID_LENGTH = 36;

/* ---- filters ---- */

const createFilters = () => ({
  status: select('Status', choices.status),
  trigger: select('Trigger', choices.trigger),
  since: select('Since', choices.since),
  id: h('input', {
    type: 'search',
    size: 37,
    placeholder: 'Beginning of a run ID, or a request ID',
    'aria-label': 'Beginning of a run ID, or a request ID',
    class: 'mono whole',
    spellcheck: 'false',
  }),
});

/**
 * The API's parameters for a page of the list.
 *
 * @param {Filters} filters
 * @param {string | null} before
 * @param {number} limit
 */
function parametersFor({ status: wanted, trigger, since, id }, before, limit) {
  const parameters = parametersOf({
    status: wanted.value,
    trigger: trigger.value,
    since: since.value,
  });
  const idText = id.value.trim().toLowerCase();
  parameters.set('limit', String(limit));
  if (before) parameters.set('before', before);
  if (idText) parameters.set('id', idText);
  return parameters;
}

/* ---- the list ---- */

/**
 * How far a run has come.
 *
 * @param {RunStatus} name
 */
const steps = (name) => (ended(name) ? 2 : Number(name === 'running'));

/** @type {Column<FleetRun>} */
const fleetColumn = {
  title: 'Fleet',
  class: 'rest',
  cell: (run) => {
    const fleet = named(run.fleet_name, `/fleets/${run.fleet_id}`);
    set(fleet, { tabindex: '-1' }); // a row is one stop for Tab; the page of the run has this link
    return fleet;
  },
};

/** @type {(fleetId: string | null) => Column<FleetRun>[]} */
const columnsOf = (fleetId) => [
  {
    title: 'Run',
    cell: (run) => [
      link(
        withFilter(`/runs/${run.id}`),
        status(run.status),
        h('span', { class: 'mono hide-narrow' }, shortId(run.id)),
      ),
      copyId(run.id),
    ],
  },
  ...(fleetId ? [] : [fleetColumn]),
  {
    title: 'Event',
    class: fleetId ? 'rest' : 'name',
    cell: (run) => (run.event ? named(run.event) : none()),
  },
  { title: 'Started', cell: (run) => time(run.started_at, 'not yet') },
  { title: 'Duration', class: 'number', cell: elapsed },
  { title: 'Trigger', class: 'hide-narrow', cell: (run) => run.trigger.replace('_', ' ') },
  {
    title: 'From',
    class: 'name hide-narrow',
    cell: (run) => (run.remote_addr ? named(run.remote_addr) : none()),
  },
  { title: 'Body', class: 'number hide-narrow', cell: (run) => size(run.body_bytes) },
  { title: 'Version', class: 'hide-narrow', cell: (run) => `v${run.fleet_version}` },
];

/** @param {string | null} fleetId */
const noRunYet = (fleetId) =>
  empty(
    'No fleet runs yet',
    h(
      'p',
      null,
      fleetId
        ? [
            'Add a webhook on the ',
            link(`/fleets/${fleetId}/triggers`, 'Triggers tab'),
            ' and send a request to it, or use Run now.',
          ]
        : 'Fleet runs appear here when a fleet is started, such as by a request to its webhook.',
    ),
  );

/**
 * Fills `place` with the runs of a fleet, or of all fleets if `fleetId` is null.
 *
 * @param {Element} place
 * @param {Page} page
 * @param {string | null} fleetId
 */
export async function runList(place, page, fleetId) {
  const filters = createFilters();
  fromAddress(filters);
  const caption = h('p', { class: 'soft caption' });
  const chart = bars();
  const durations = h('div', null, caption, chart.element);
  const news = h('div');
  // The links of a row depend on the filters.
  const list = table('Fleet runs', columnsOf(fleetId), (run) => withFilter(run.id));
  const emptiness = h('div');
  const more = h('div', { class: 'row' });
  const older = h('button', { type: 'button' }, 'Show older');
  /** @type {RunsPath} */
  const base = fleetId ? `/fleets/${fleetId}/fleetruns` : '/fleetruns';
  /** @type {FleetRun[]} */
  let runs = [];
  /** @type {string | null} */
  let next = null;

  /**
   * Reads a page of runs. The id filter may contain a run's id, its beginning, or a request's id.
   *
   * @param {string | null} [before]
   * @param {number} [limit]
   */
  async function ask(before = null, limit = PAGE) {
    const parameters = parametersFor(filters, before, limit);
    const found = await get(`${base}?${parameters}`);
    const id = parameters.get('id');
    if (!id || found.fleetruns.length > 0 || id.length !== ID_LENGTH) return found;
    parameters.delete('id');
    parameters.set('request_id', id);
    return get(`${base}?${parameters}`);
  }

  function draw() {
    const charted = runs.slice(0, PAGE);
    show(caption, `Run durations (last ${charted.length}, newest on the right; logarithmic scale)`);
    chart.draw(charted);
    list.draw(runs);
    show(more, next && older);
    durations.hidden = list.element.hidden = runs.length === 0;
  }

  /**
   * If there are no runs, says why.
   *
   * @param {string} [why]
   */
  function drawEmptiness(why) {
    const isFiltered = Object.values(filters).some((filter) => filter.value);
    const nothing = why ?? (isFiltered && 'Change or remove some of the filters.');
    show(
      emptiness,
      runs.length === 0 &&
        (nothing ? empty('No matching fleet runs', h('p', null, nothing)) : noRunYet(fleetId)),
    );
  }

  /**
   * Shows a page of runs as the whole list.
   *
   * @param {FleetRuns} found
   * @param {string} [why] there are none
   */
  function take(found, why) {
    runs = found.fleetruns;
    next = found.next_before;
    show(news);
    draw();
    drawEmptiness(why);
  }

  let asked = 0;
  /** @param {number} [limit] */
  async function load(limit = PAGE) {
    const mine = ++asked;
    /** @type {FleetRuns} */
    let found;
    let why;
    try {
      found = await ask(null, limit);
    } catch (error) {
      if (!hasStatus(error, 400) || mine !== asked) throw error;
      found = { fleetruns: [], next_before: null, next_after: null };
      why = messageOf(error);
    }
    if (page.isOpen() && mine === asked) take(found, why);
  }

  async function loadMore() {
    const found = await ask(next);
    const known = new Set(runs.map((run) => run.id));
    runs = runs.concat(found.fleetruns.filter((run) => !known.has(run.id)));
    next = found.next_before;
    keep('runs', Math.min(runs.length, MOST_KEPT));
    draw();
  }

  /** @param {FleetRun} run */
  function update(run) {
    runs = runs.map((one) => (one.id === run.id && !ended(one.status) ? run : one));
  }

  /**
   * Updates a known run with what an event says of it. An event that is older than the run changes
   * nothing.
   *
   * @param {RunChange} change
   */
  function apply({ run_id: id, status: now, at }) {
    const known = runs.find((run) => run.id === id);
    if (!known || steps(known.status) >= steps(now)) return;
    const run = { ...known, status: now };
    if (now === 'running') run.started_at = at;
    else run.ended_at = at;
    update(run);
  }

  let hasMissed = false;
  /**
   * Updates known runs in their place. New runs wait for a click, unless the page is scrolled to
   * the top and the list is short.
   */
  const look = gather(
    async () => {
      if (!page.isOpen()) return;
      const last = asked;
      const found = await ask().catch(() => null);
      if (!found || !page.isOpen() || last !== asked) return; // other filters were set
      found.fleetruns.forEach(update);
      const known = new Set(runs.map((run) => run.id));
      const fresh = found.fleetruns.filter((run) => !known.has(run.id));
      if (fresh.length > 0 && scrollY < 40 && runs.length <= PAGE) {
        hasMissed = false; // all that is shown was read just now
        take(found);
        return;
      }
      const told = new Set(found.fleetruns.map((run) => run.id));
      // After missed events, runs that no longer match the filters or are on a later page are asked
      // for one by one.
      const others = runs.filter((run) => hasMissed && !ended(run.status) && !told.has(run.id));
      hasMissed = false;
      for (const run of others.slice(0, MOST_LOOKS))
        await get(`/fleetruns/${run.id}`).then(update, () => {});
      if (!page.isOpen()) return;
      draw();
      if (fresh.length === 0) return;
      const count = fresh.length < PAGE ? `${fresh.length} new` : `${PAGE}+ new`;
      show(news, h('button', { type: 'button', onclick: () => load() }, count));
    },
    LOOK_MS,
    EVERY_MS,
  );

  const sayFailure = (/** @type {unknown} */ error) => say(messageOf(error), 'error');
  const reload = () => {
    toAddress(filters);
    keep('runs', PAGE);
    load().catch(sayFailure);
  };
  for (const field of [filters.status, filters.trigger, filters.since])
    field.addEventListener('change', reload);
  let typing = 0;
  filters.id.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(reload, 300);
  });
  page.onLeave(() => clearTimeout(typing));
  older.addEventListener('click', () => loadMore().catch(sayFailure));
  show(
    place,
    durations,
    h('div', { class: 'row filters' }, Object.values(filters)),
    news,
    list.element,
    emptiness,
    more,
  );
  await load(kept('runs')); // as many as when the reader left the list
  page.onLeave(
    watchRuns((change) => {
      if (change && fleetId && change.fleet_id !== fleetId) return;
      if (change) apply(change);
      else hasMissed = true;
      look();
    }),
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function runsPage(main, page) {
  document.title = 'Fleet runs · webhookd';
  const place = h('div', { class: 'card' });
  show(main, h('h1', null, 'Fleet runs'), place);
  await runList(place, page, null);
}
