// The output that a run's page shows: that of its only vessel, or of the first one that failed.
import { h, show } from './dom.js';
import { ended } from './format.js';
import { hasOutput, logPath, outputView } from './output.js';
import { withFilter } from './run_filter.js';
import { link } from './widgets.js';

/** @import { FleetRun, Page } from './types.d.ts' */

/**
 * The vessel run whose output a reader looks for first. Undefined if there are several and none has
 * failed.
 *
 * @param {FleetRun} run
 */
const wanted = ({ vessels }) =>
  vessels.find(({ status }) => status === 'errored') ??
  (vessels.length === 1 ? vessels[0] : undefined);

/**
 * draw() takes the run. `lookAgain` reads it again.
 *
 * @param {Page} page
 * @param {() => Promise<void>} lookAgain
 */
export function runOutput(page, lookAgain) {
  const output = outputView(page, lookAgain);
  const title = h('h2');
  const controls = h('div', { class: 'row' }, output.controls);
  const element = h(
    'section',
    { hidden: true },
    title,
    controls,
    h('p'),
    output.element,
    output.note,
  );
  let opened = '';

  /** @param {FleetRun} run */
  function draw(run) {
    const vessel = wanted(run);
    if (!vessel || !hasOutput(vessel)) return;
    const path = logPath(run.id, vessel.id, vessel.attempts);
    if (path === opened) return;
    const isFailed = vessel.status === 'errored';
    opened = path;
    element.hidden = false;
    show(
      title,
      'Output of ',
      link(withFilter(`/runs/${run.id}/vessels/${vessel.id}`), vessel.name),
    );
    output.fit();
    output.open(path, { isLive: !ended(vessel.status), isAtEnd: isFailed });
  }
  return { element, draw };
}
