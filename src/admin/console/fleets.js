// The page of all fleets: the last runs of each one, and what is running and scheduled now.
import { get } from './api.js';
import { h, set, show } from './dom.js';
import { exactly, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { mark } from './marks.js';
import { table } from './table.js';
import { drawOptions, empty, link, named, select } from './widgets.js';

const LAST = 8;
const NEWS_MS = 250;
const EVERY_MS = 1000;
/** @type {Option} */
const ALL_PROJECTS = ['', 'All projects'];

/** @import { Column, Fleet, Option, Outcome, Page } from './types.d.ts' */

/**
 * The last runs as marks, the newest on the right.
 *
 * @param {Outcome[]} runs
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

/** @type {Column<Fleet>[]} */
const columns = [
  { title: 'Last runs', cell: ({ last }) => outcomes(last ?? []) },
  {
    title: 'Fleet',
    class: 'rest',
    cell: (fleet) =>
      h(
        'div',
        { class: 'names' },
        named(fleet.name, `/fleets/${fleet.id}`),
        h('span', { class: 'soft clip', title: projectName(fleet) }, projectName(fleet)),
      ),
  },
  { title: 'Version', class: 'hide-narrow', cell: (fleet) => `v${fleet.version}` },
  { title: 'Updated', class: 'hide-narrow', cell: (fleet) => time(fleet.updated_at) },
  { title: 'Last run', cell: ({ last }) => time(last?.[0]?.created_at, 'never') },
  { title: 'Now', class: 'hide-narrow', cell: (fleet) => now(fleet) },
];

const noFleetYet = () =>
  empty(
    'No fleets yet',
    h('p', null, 'A fleet is a graph of scripts that runs when its webhook receives a request.'),
    link('/fleets/new', h('span', { class: 'button main' }, 'Create your first fleet')),
  );

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
  const list = table('Fleets', columns, (fleet) => fleet.id);
  set(list.element, { class: 'table card' });
  const place = h('div');
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
    list.draw(wanted);
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

  async function load() {
    const { fleets: fresh } = await get(`/fleets?last=${LAST}`);
    if (!page.isOpen()) return;
    fleets = fresh;
    draw();
  }

  search.addEventListener('input', draw);
  project.addEventListener('change', draw);
  const controls = h(
    'div',
    { class: 'row filters' },
    project,
    search,
    link('/fleets/new', h('span', { class: 'button main' }, 'New fleet')),
  );
  show(main, h('div', { class: 'row between' }, h('h1', null, 'Fleets'), controls), place);
  await load();
  page.onLeave(watchRuns(gather(() => page.isOpen() && load(), NEWS_MS, EVERY_MS)));
}
