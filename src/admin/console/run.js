// The page of a fleet run. Its Overview tab shows the vessel runs, live; parameters.js has the
// other tab.
import { get, orNull, post } from './api.js';
import { gantt } from './charts.js';
import { h, keyed, show } from './dom.js';
import { dateTime, elapsed, ended, fromTo, shortId, size, time } from './format.js';
import { gather, watchRuns } from './live.js';
import { go } from './navigate.js';
import { neighbours } from './neighbours.js';
import { parameters } from './parameters.js';
import { withFilter } from './run_filter.js';
import { runOutput } from './run_output.js';
import { table } from './table.js';
import { retry, waitingNote } from './waiting.js';
import {
  actionButton,
  confirm,
  crumbs,
  drawFacts,
  idButton,
  link,
  named,
  status,
  tabs,
} from './widgets.js';

/** @import { Column, FleetRun, Page, VesselRun } from './types.d.ts' */

/* ---- overview ---- */

/** @type {(runId: string) => Column<VesselRun>[]} */
const vesselColumns = (runId) => [
  { title: 'Status', cell: (vessel) => status(vessel.status) },
  {
    title: 'Vessel',
    class: 'rest',
    cell: (vessel) => named(vessel.name, withFilter(`/runs/${runId}/vessels/${vessel.id}`)),
  },
  { title: 'Exit', class: 'number', cell: (vessel) => String(vessel.exit_code ?? '–') },
  { title: 'Duration', class: 'number', cell: elapsed },
  { title: 'Reason', class: 'wide', cell: (vessel) => retry(vessel) ?? vessel.reason },
  {
    title: 'Output',
    class: 'number hide-narrow',
    cell: (vessel) => (ended(vessel.status) ? size(vessel.output_bytes) : '…'),
  },
  {
    title: 'Attempts',
    class: 'number hide-narrow',
    cell: (vessel) => String(vessel.attempts),
  },
  { title: 'Started', class: 'hide-narrow', cell: (vessel) => dateTime(vessel.started_at) },
];

/**
 * The vessel runs of a fleet run, as bars and as a table.
 *
 * @param {string} runId
 * @param {Page} page
 * @param {() => Promise<void>} lookAgain reads the run again
 */
function overview(runId, page, lookAgain) {
  const chart = gantt(runId);
  const picture = h('div', null, chart.element);
  const vessels = table('Vessels', vesselColumns(runId), (vessel) => vessel.id);
  const note = waitingNote(page);
  const output = runOutput(page, lookAgain);
  return {
    elements: [note.element, picture, vessels.element, output.element],
    /** @param {FleetRun} run */
    draw(run) {
      chart.draw(run.vessels, picture.clientWidth || 900);
      vessels.draw(run.vessels);
      vessels.element.hidden = run.vessels.length === 0;
      note.draw(run);
      output.draw(run);
    },
  };
}

/* ---- the page ---- */

/**
 * When the run started and, if it has, ended.
 *
 * @param {FleetRun} run
 */
function period(run) {
  if (!run.started_at) return null;
  if (run.ended_at) return fromTo(run.started_at, run.ended_at);
  return `since ${dateTime(run.started_at)}`;
}

/**
 * Links to runs, after `title`; null if there are none.
 *
 * @param {string} title
 * @param {string[]} ids
 */
const runLinks = (title, ids) =>
  ids.length > 0 ? [title, ids.map((id) => [' ', link(`/runs/${id}`, shortId(id))])] : null;

/** @param {FleetRun} run */
const factsOf = (run) => ({
  status: status(run.status),
  trigger: run.trigger.replace('_', ' '),
  version: `v${run.fleet_version}`,
  duration: elapsed(run),
  arrived: ['created ', time(run.created_at)],
  period: period(run),
  origin: runLinks('run again of', run.again_of ? [run.again_of] : []),
  repeats: runLinks('run again as', run.again_as ?? []),
});

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function runPage(main, page) {
  const [id, tab = 'overview'] = page.parts;
  const action = h('span');
  const facts = h('div', { class: 'facts' });
  const place = h('section', { class: 'card' }, '…');
  let run = await get(`/fleetruns/${id}`);
  let isStopping = false;
  const fleet = await orNull(get(`/fleets/${run.fleet_id}`));
  if (!page.isOpen()) return;
  document.title = `${run.fleet_name}: fleet run · webhookd`;

  /** @param {number} version */
  async function again(version) {
    const isSure = await confirm(
      'Run again?',
      `${run.fleet_name} v${version} runs with the same body and headers.`,
      'Run again',
      'main',
    );
    if (!isSure) return;
    const started = await post(`/fleetruns/${id}/again`);
    go(`/runs/${started.id}`);
  }

  /** Takes the place of Stop, so it ignores clicks for a second: they were meant for Stop. */
  function againButton() {
    const isNewer = fleet && fleet.version !== run.fleet_version;
    const label = isNewer ? `Run again with v${fleet.version}` : 'Run again';
    const button = actionButton(label, () => again(fleet?.version ?? run.fleet_version));
    if (action.childElementCount > 0) {
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
    again: againButton,
  };

  /**
   * The names of the buttons for what can be done with the run now.
   *
   * @returns {(keyof typeof buttons)[]}
   */
  function actions() {
    if (!ended(run.status)) return [isStopping ? 'stopping' : 'stop'];
    return fleet ? ['again'] : [];
  }

  const vessels = tab === 'overview' ? overview(id, page, load) : null;

  function draw() {
    keyed(
      action,
      actions(),
      (name) => name,
      (name) => buttons[name](),
      () => {},
    );
    drawFacts(facts, factsOf(run));
    vessels?.draw(run);
  }

  async function load() {
    run = await get(`/fleetruns/${id}`);
    if (page.isOpen()) draw();
  }

  const name = fleet
    ? named(run.fleet_name, `/fleets/${run.fleet_id}`)
    : named(`${run.fleet_name} (deleted)`);
  if (vessels) show(place, vessels.elements);
  show(
    main,
    h(
      'div',
      { class: 'row between' },
      crumbs(link('/', 'Fleets'), name),
      fleet && neighbours(page, run, tab === 'overview' ? '' : `/${tab}`),
    ),
    h('div', { class: 'row between' }, h('h1', null, 'Fleet run ', idButton(run.id)), action),
    facts,
    tabs(
      [
        ['overview', withFilter(`/runs/${id}`), 'Overview'],
        ['parameters', withFilter(`/runs/${id}/parameters`), 'Webhook parameters'],
      ],
      tab,
    ),
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
  // Vessel runs may change while the run's status stays the same.
  const timer = setInterval(() => {
    if (ended(run.status)) clearInterval(timer);
    else look();
  }, 1000);
  page.onLeave(() => clearInterval(timer));
}
