// The page of all fleets: the last runs of each one, and what is running and scheduled now.
import { get } from './api.js';
import { h, set, show } from './dom.js';
import { exactly, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { mark } from './marks.js';
import { table } from './table.js';
import { drawOptions, empty, link, named, select } from './widgets.js';

const LAST = 8;
const AT_ONCE = 4;
const DRAW_MS = 50;
const NEWS_MS = 500;
/** @type {Option} */
const ALL_PROJECTS = ['', 'All projects'];

/** @import { Column, Fleet, FleetRun, Option, Page } from './types.d.ts' */
/**
 * A fleet, with its last runs once they are known.
 *
 * @typedef {{fleet: Fleet, runs?: FleetRun[]}} Row
 */

/**
 * The last runs as marks, the newest on the right.
 *
 * @param {FleetRun[]} runs
 */
function outcomes(runs) {
  const shown = runs.slice(0, LAST).reverse();
  const blanks = Array.from({ length: LAST - shown.length }, () =>
    h('span', { class: 'outcome', 'aria-hidden': 'true' }, mark('blank')),
  );
  const links = shown.map((run) =>
    h(
      'a',
      {
        class: `outcome ${run.status}`,
        href: `/runs/${run.id}`,
        tabindex: '-1',
        title: `${run.status}, ${exactly(run.created_at)}`,
        'aria-label': `Fleet run: ${run.status}`,
      },
      mark(run.status),
    ),
  );
  return h('span', { class: 'outcomes' }, blanks, links);
}

/** @param {Fleet} fleet */
function now(fleet) {
  const parts = [];
  if (fleet.running > 0) parts.push(`${fleet.running} running`);
  if (fleet.waiting > 0) parts.push(`${fleet.waiting} scheduled`);
  return parts.join(', ') || h('span', { class: 'none' }, 'idle');
}

/** @param {Fleet} fleet */
const projectName = (fleet) => `${fleet.org_name}/${fleet.project_name}`;

/** @type {Column<Row>[]} */
const columns = [
  { title: 'Last runs', cell: ({ runs }) => outcomes(runs ?? []) },
  {
    title: 'Fleet',
    class: 'rest',
    cell: ({ fleet }) =>
      h(
        'div',
        { class: 'names' },
        named(fleet.name, `/fleets/${fleet.id}`),
        h('span', { class: 'soft clip', title: projectName(fleet) }, projectName(fleet)),
      ),
  },
  { title: 'Version', class: 'hide-narrow', cell: ({ fleet }) => `v${fleet.version}` },
  { title: 'Updated', class: 'hide-narrow', cell: ({ fleet }) => time(fleet.updated_at) },
  { title: 'Last run', cell: ({ runs }) => (runs ? time(runs[0]?.created_at, 'never') : '…') },
  { title: 'Now', class: 'hide-narrow', cell: ({ fleet }) => now(fleet) },
];

const noFleetYet = () =>
  empty(
    'No fleets yet',
    h('p', null, 'A fleet is a graph of scripts that runs when its webhook receives a request.'),
    link('/fleets/new', h('span', { class: 'button main' }, 'Create your first fleet')),
  );

/**
 * Runs `action` for each item, a few at a time.
 *
 * @template Item
 * @param {Item[]} list
 * @param {(item: Item) => Promise<void>} action
 */
async function each(list, action) {
  const rest = list.slice();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = rest.shift(); item; item = rest.shift()) await action(item);
    }),
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function fleetsPage(main, page) {
  document.title = 'Fleets · webhookd';
  const search = h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': 'Search fleets',
  });
  const project = select('Project', [ALL_PROJECTS]);
  const list = table(columns, ({ fleet }) => fleet.id);
  set(list.element, { class: 'table card' });
  const place = h('div');
  /**
   * By fleet id.
   *
   * @type {Map<string, FleetRun[]>}
   */
  const lastRuns = new Map();
  /** @type {Fleet[]} */
  let fleets = [];

  /** @param {Fleet} fleet */
  const isWanted = (fleet) =>
    fleet.name.toLowerCase().includes(search.value.trim().toLowerCase()) &&
    (!project.value || fleet.project_id === project.value);

  function draw() {
    const projects = new Map(fleets.map((fleet) => [fleet.project_id, projectName(fleet)]));
    drawOptions(project, [ALL_PROJECTS, ...projects]);
    const wanted = fleets.filter(isWanted);
    list.draw(wanted.map((fleet) => ({ fleet, runs: lastRuns.get(fleet.id) })));
    if (fleets.length === 0) show(place, noFleetYet());
    else if (wanted.length > 0) show(place, list.element);
    else
      show(
        place,
        empty(
          'No matching fleets',
          h('p', null, 'Change the search text or choose another project.'),
        ),
      );
  }
  const drawSoon = gather(draw, DRAW_MS);

  /** @param {Fleet} fleet */
  async function lookAtRuns(fleet) {
    const { fleetruns } = await get(`/fleets/${fleet.id}/fleetruns?limit=${LAST}`);
    lastRuns.set(fleet.id, fleetruns);
    drawSoon();
  }

  async function load() {
    const { fleets: fresh } = await get('/fleets');
    if (!page.isOpen()) return;
    fleets = fresh;
    draw();
  }

  /**
   * Reads the last runs of fleets that are in `changed` or new.
   *
   * @param {Set<string>} changed
   */
  const lookAt = (changed) =>
    each(
      fleets.filter((fleet) => changed.has(fleet.id) || !lastRuns.has(fleet.id)),
      lookAtRuns,
    );

  search.addEventListener('input', draw);
  project.addEventListener('change', draw);
  const controls = h(
    'div',
    { class: 'row' },
    project,
    search,
    link('/fleets/new', h('span', { class: 'button main' }, 'New fleet')),
  );
  show(main, h('div', { class: 'row between' }, h('h1', null, 'Fleets'), controls), place);
  /** @type {Set<string>} */
  let changed = new Set();
  const refresh = gather(async () => {
    if (!page.isOpen()) return;
    const those = changed;
    changed = new Set();
    await load();
    await lookAt(those);
  }, NEWS_MS);
  await load();
  lookAt(changed).catch(() => {});
  page.onLeave(
    watchRuns((change) => {
      if (change) changed.add(change.fleet_id);
      else fleets.forEach((fleet) => changed.add(fleet.id));
      refresh();
    }),
  );
}
