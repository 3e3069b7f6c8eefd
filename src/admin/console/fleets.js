// Every fleet: what it did last and what it does now.
import { get } from './api.js';
import { h, show } from './dom.js';
import { exactly, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { empty, link, statusWord } from './widgets.js';

const LAST = 8,
  AT_ONCE = 4;

function outcomes(runs) {
  const shown = runs.slice(0, LAST).reverse();
  const blanks = LAST - shown.length;
  return h(
    'span',
    { class: 'outcomes' },
    Array.from({ length: blanks }, () =>
      h('span', { class: 'outcome blank', 'aria-hidden': 'true' }),
    ),
    shown.map((run) =>
      h('a', {
        class: `outcome ${run.status}`,
        href: `/runs/${run.id}`,
        tabindex: '-1',
        title: `${statusWord(run.status)}, ${exactly(run.created_at)}`,
        'aria-label': `Run: ${statusWord(run.status)}`,
      }),
    ),
  );
}

function now(fleet) {
  const parts = [];
  if (fleet.running > 0) parts.push(`${fleet.running} running`);
  if (fleet.waiting > 0) parts.push(`${fleet.waiting} waiting`);
  return parts.join(', ') || h('span', { class: 'none' }, 'idle');
}

/** A few requests at a time. */
async function each(list, action) {
  const rest = list.slice();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (rest.length > 0) await action(rest.shift());
    }),
  );
}

export async function fleetsPage(main, page) {
  document.title = 'Fleets · webhookd';
  const search = h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': 'Search fleets',
  });
  const project = h(
    'select',
    { 'aria-label': 'Project' },
    h('option', { value: '' }, 'All projects'),
  );
  const body = h('tbody'),
    table = h(
      'div',
      { class: 'table card' },
      h(
        'table',
        null,
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ['Last 8 runs', 'Fleet', 'Version', 'Updated', 'Last run', 'Now'].map((title, i) =>
              h('th', { class: i === 2 || i === 3 ? 'hide-narrow' : null }, title),
            ),
          ),
        ),
        body,
      ),
    );
  const place = h('div');
  let fleets = [];

  function draw() {
    const words = search.value.trim().toLowerCase();
    let shown = 0;
    for (const fleet of fleets) {
      const is =
        (!words || fleet.name.toLowerCase().includes(words)) &&
        (!project.value || fleet.project_id === project.value);
      fleet.row.hidden = !is;
      shown += is;
    }
    if (fleets.length === 0)
      show(
        place,
        empty(
          'No fleet yet',
          h('p', null, 'A fleet is a graph of scripts that runs when its webhook is called.'),
          link('/fleets/new', h('span', { class: 'button main' }, 'Write the first one')),
        ),
      );
    else if (shown === 0)
      show(place, empty('Nothing matches', h('p', null, 'No fleet has such a name.')));
    else show(place, table);
  }

  async function lookAtRuns(fleet) {
    const { fleetruns } = await get(`/fleets/${fleet.id}/fleetruns?limit=${LAST}`);
    show(fleet.last, outcomes(fleetruns));
    show(fleet.when, time(fleetruns[0]?.created_at, 'never'));
  }

  function makeRow(fleet) {
    fleet.last = h('td', null, outcomes([]));
    fleet.when = h('td', null, '…');
    fleet.now = h('td', null, now(fleet));
    fleet.row = h(
      'tr',
      null,
      fleet.last,
      h(
        'td',
        { class: 'wide' },
        link(`/fleets/${fleet.id}`, fleet.name),
        ' ',
        h('span', { class: 'soft' }, `${fleet.org_name}/${fleet.project_name}`),
      ),
      h('td', { class: 'hide-narrow' }, `v${fleet.version}`),
      h('td', { class: 'hide-narrow' }, time(fleet.updated_at)),
      fleet.when,
      fleet.now,
    );
    return fleet.row;
  }

  async function load() {
    const fresh = (await get('/fleets')).fleets;
    if (!page.isOpen()) return;
    const isSame =
      fresh.length === fleets.length &&
      fresh.every((fleet, i) => fleet.id === fleets[i].id && fleet.version === fleets[i].version);
    if (isSame) {
      fresh.forEach((fleet, i) => {
        show(fleets[i].now, now(fleet));
      });
    } else {
      const chosen = project.value;
      fleets = fresh;
      show(body, fleets.map(makeRow));
      const projects = new Map(
        fleets.map((fleet) => [fleet.project_id, `${fleet.org_name}/${fleet.project_name}`]),
      );
      show(
        project,
        h('option', { value: '' }, 'All projects'),
        [...projects].map(([id, name]) => h('option', { value: id }, name)),
      );
      project.value = chosen;
      each(fleets, lookAtRuns).catch(() => {});
    }
    draw();
  }

  search.addEventListener('input', draw);
  project.addEventListener('change', draw);
  show(
    main,
    h(
      'div',
      { class: 'row between' },
      h('h1', null, 'Fleets'),
      h(
        'div',
        { class: 'row' },
        project,
        search,
        link('/fleets/new', h('span', { class: 'button main' }, 'New fleet')),
      ),
    ),
    place,
  );
  await load();
  let changed = new Set();
  const refresh = gather(async () => {
    if (!page.isOpen()) return;
    const those = changed;
    changed = new Set();
    await load();
    await each(
      fleets.filter((one) => those.has(one.id)),
      lookAtRuns,
    );
  }, 500);
  page.onLeave(
    watchRuns((change) => {
      if (change) changed.add(change.fleet_id);
      else fleets.forEach((fleet) => changed.add(fleet.id));
      refresh();
    }),
  );
}
