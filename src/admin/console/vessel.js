// The page of a vessel run: its state, its attempts, and the output of one attempt.
import { address, get, post } from './api.js';
import { h, keyed, set, show } from './dom.js';
import { dateTime, elapsed, ended, shortId, size } from './format.js';
import { mark } from './marks.js';
import { hasOutput, logPath, outputView } from './output.js';
import { credentialLinks } from './references.js';
import { withFilter } from './run_filter.js';
import { retry, waitingNote } from './waiting.js';
import { actionButton, crumbs, drawFacts, link, named, status } from './widgets.js';

/** @import { FleetRun, Page, VesselRun } from './types.d.ts' */

const LOOK_MS = 1000;

/**
 * Reads a fleet run and one of its vessel runs.
 *
 * @param {string} runId
 * @param {string} vesselRunId
 */
async function read(runId, vesselRunId) {
  const run = await get(`/fleetruns/${runId}`);
  const vessel = run.vessels.find((one) => one.id === vesselRunId);
  if (!vessel) throw new Error('This fleet run does not have this vessel.');
  return { run, vessel };
}

/**
 * @param {VesselRun} vessel
 * @param {number} bytes of output received so far
 * @param {boolean} isStopping
 */
const factsOf = (vessel, bytes, isStopping) => ({
  status: status(vessel.status),
  exit: vessel.exit_code !== null && ['exit ', h('b', null, String(vessel.exit_code))],
  reason: retry(vessel) ?? vessel.reason,
  attempts: vessel.attempts === 1 ? '1 attempt' : `${vessel.attempts} attempts`,
  duration: elapsed(vessel),
  started: dateTime(vessel.started_at),
  output: `${size(ended(vessel.status) ? vessel.output_bytes : bytes)} of output`,
  stopping: isStopping && 'stopping…',
});

/**
 * Shows what the fleet version that ran says about the vessel.
 *
 * @param {Element} place
 * @param {FleetRun} run
 * @param {VesselRun} vessel
 */
async function describe(place, run, vessel) {
  const version = await get(`/fleets/${run.fleet_id}/versions/${run.fleet_version}`);
  const own = version.definition.vessels.find((one) => one.name === vessel.name);
  if (!own) return;
  const names = Object.keys(own.environment ?? {}).join(' ');
  const credentials = credentialLinks('credentials ', run.org_id, [own]);
  const facts = h('div', { class: 'facts' });
  const bold = (/** @type {string} */ text) => h('b', { class: 'mono' }, text);
  drawFacts(facts, {
    file: own.file_to_run && ['file ', bold(own.file_to_run), ` (v${run.fleet_version})`],
    environment: names && ['environment ', bold(names)],
    credentials,
  });
  const unmasked = 'The output is complete and not masked, so it may show values of credentials.';
  show(place, facts, credentials && h('p', { class: 'soft' }, unmasked));
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function vesselPage(main, page) {
  const [runId, vesselRunId] = page.parts;
  const facts = h('div', { class: 'facts' });
  const description = h('div');
  const siblings = h('nav', { class: 'row siblings', 'aria-label': 'Vessels of this run' });
  const attemptsTitle = h('span', null, 'Attempt');
  const attempts = h('div', { class: 'row' });
  const download = h('a', { class: 'button', download: '', hidden: true }, 'Download');
  const output = outputView(page, load);
  const wait = waitingNote(page);
  let { run, vessel } = await read(runId, vesselRunId);
  let attempt = -1; // the one that is open; -1 = none
  let isStopping = false;

  const stopButton = actionButton(
    'Stop fleet run',
    async () => {
      await post(`/fleetruns/${runId}/stop`);
      isStopping = true;
      await load();
    },
    { class: 'danger' },
  );

  /** Draws a button for each attempt, if there are several. */
  function drawAttempts() {
    const count = vessel.attempts > 1 ? vessel.attempts : 0;
    attemptsTitle.hidden = count === 0;
    keyed(
      attempts,
      Array.from({ length: count }, (_, i) => ({ number: i + 1, isOpen: i + 1 === attempt })),
      ({ number }) => number,
      ({ number }) => h('button', { type: 'button', onclick: () => open(number) }, String(number)),
      (button, { isOpen }) => set(button, { 'aria-pressed': String(isOpen) }),
    );
  }

  /** Draws links to the vessel runs of this fleet run, if there are several. */
  function drawSiblings() {
    siblings.hidden = run.vessels.length < 2;
    keyed(
      siblings,
      run.vessels,
      ({ id }) => id,
      ({ id, name }) =>
        link(withFilter(`/runs/${runId}/vessels/${id}`), mark('blank'), named(name)),
      (anchor, one) => {
        anchor.firstChild?.replaceWith(mark(one.status));
        set(anchor, {
          'aria-current': one.id === vesselRunId && 'page',
          'aria-label': `${one.name}: ${one.status}`,
        });
      },
    );
  }

  function draw() {
    const isOver = ended(run.status);
    drawFacts(facts, factsOf(vessel, output.bytes(), isStopping && !isOver));
    stopButton.hidden = isStopping || isOver;
    drawSiblings();
    drawAttempts();
    wait.draw(run);
  }

  async function load() {
    const now = await read(runId, vesselRunId);
    if (!page.isOpen()) return;
    ({ run, vessel } = now);
    draw();
  }

  /** @param {number} number */
  function open(number) {
    const path = logPath(runId, vesselRunId, number);
    attempt = number;
    set(download, {
      href: address(path),
      download: number > 0 ? `${vessel.name}-${number}.log` : `${vessel.name}.log`,
      hidden: false,
    });
    output.open(path, { isLive: number === vessel.attempts && !ended(vessel.status) });
    drawAttempts();
  }

  if (!page.isOpen()) return;
  document.title = `${vessel.name} · webhookd`;
  draw();
  describe(description, run, vessel).catch(() => {});
  show(
    main,
    crumbs(
      link('/', 'Fleets'),
      named(run.fleet_name, `/fleets/${run.fleet_id}`),
      link(withFilter(`/runs/${runId}`), `Fleet run ${shortId(runId)}`),
    ),
    h('div', { class: 'row between' }, h('h1', null, vessel.name), stopButton),
    siblings,
    facts,
    description,
    h(
      'section',
      { class: 'card' },
      h(
        'div',
        { class: 'row between' },
        h('div', { class: 'row' }, attemptsTitle, attempts),
        h('div', { class: 'row' }, output.controls, download),
      ),
      h('p'),
      output.element,
      output.note,
      wait.element,
    ),
  );
  output.fit();
  const grown = new ResizeObserver(output.fit);
  grown.observe(description);
  page.onLeave(() => grown.disconnect());
  if (hasOutput(vessel)) open(vessel.attempts);
  else if (vessel.status === 'incomplete')
    show(
      output.note,
      'The vessel did not run, because the condition of a connection to it did not hold ' +
        'or an earlier vessel was stopped.',
    );
  else if (ended(vessel.status))
    show(output.note, 'The vessel did not run, so there is no output.');
  else show(output.note, 'The vessel has not started yet.');

  const looking = setInterval(async () => {
    if (ended(vessel.status)) return clearInterval(looking);
    const newest = vessel.attempts;
    await load().catch(() => {});
    if (!page.isOpen() || !hasOutput(vessel)) return;
    // A new attempt is not opened while the user reads an older one or has scrolled up.
    const isWanted = vessel.attempts > newest && attempt === newest && output.isFollowing();
    if (attempt < 0 || isWanted) open(vessel.attempts);
  }, LOOK_MS);
  page.onLeave(() => clearInterval(looking));
}
