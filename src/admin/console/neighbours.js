// The links from a run's page to the next newer and the next older run: of the same fleet, and
// among those that pass the filters in the page's address.
import { get } from './api.js';
import { h, set } from './dom.js';
import { gather, watchRuns } from './live.js';
import { filterHere, inWords, parametersOf, withFilter } from './run_filter.js';

/** @import { FleetRun, Page, RunChange } from './types.d.ts' */

const GATHER_MS = 250;
const EVERY_MS = 1000;

/**
 * A link that leads nowhere as long as its run is not known.
 *
 * @param {string} label
 * @param {string} title
 * @param {string} subpage of the run's page, such as "/parameters", or ""
 */
function step(label, title, subpage) {
  const element = h('a', { class: 'step', title, role: 'link', 'aria-disabled': 'true' }, label);
  return {
    element,
    isKnown: () => element.hasAttribute('href'),
    /** @param {string} id */
    lead(id) {
      const href = withFilter(`/runs/${id}${subpage}`);
      set(element, { href, role: null, 'aria-disabled': null });
    },
  };
}

/**
 * Returns the element with both links, and fills them in with one request each. The stream of
 * events says when there is a newer run.
 *
 * @param {Page} page
 * @param {FleetRun} run
 * @param {string} subpage as for step()
 */
export function neighbours(page, run, subpage) {
  const newer = step('‹ Newer', 'The next newer run of this fleet', subpage);
  const older = step('Older ›', 'The next older run of this fleet', subpage);
  const filter = filterHere();
  let stopListening = () => {};

  /** @param {'after' | 'before'} direction */
  async function find(direction) {
    const parameters = parametersOf(filter);
    parameters.set(direction, run.id);
    parameters.set('limit', '1');
    const { fleetruns } = await get(`/fleets/${run.fleet_id}/fleetruns?${parameters}`);
    return fleetruns.length > 0 ? fleetruns[0].id : null;
  }

  /** @param {string | null} id */
  function leadToNewer(id) {
    if (!id || !page.isOpen()) return;
    newer.lead(id);
    stopListening();
  }

  const findNewer = async () => leadToNewer(await find('after'));
  const look = gather(() => newer.isKnown() || findNewer(), GATHER_MS, EVERY_MS);

  /**
   * An event does not have the run's trigger, so a filter by it costs a request.
   *
   * @param {RunChange | null} change
   */
  function hear(change) {
    if (!change) return look();
    const { run_id: id, fleet_id: fleetId, status } = change;
    if (fleetId !== run.fleet_id || id <= run.id) return; // ids grow with time
    if (filter.status && filter.status !== status) return;
    if (filter.trigger) look();
    else leadToNewer(id);
  }

  async function findOlder() {
    const id = await find('before');
    if (id && page.isOpen()) older.lead(id);
  }

  stopListening = watchRuns(hear);
  page.onLeave(stopListening);
  findNewer().catch(() => {}); // the next event can still tell
  findOlder().catch(() => {});
  return h(
    'nav',
    { class: 'row', 'aria-label': 'Other runs' },
    h('span', { class: 'soft hide-narrow' }, inWords(filter)),
    newer.element,
    older.element,
  );
}
