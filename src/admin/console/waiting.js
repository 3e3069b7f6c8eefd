// Says what a fleet run or a vessel run waits for. The pages of runs and of vessel runs show it.
import { get } from './api.js';
import { h, show } from './dom.js';
import { clockTime, ended } from './format.js';

/** @import { FleetRun, Page, Status, VesselRun } from './types.d.ts' */

const LOOK_MS = 3000;

/** @param {number} count */
const runs = (count) => `${count} ${count === 1 ? 'run' : 'runs'}`;

/**
 * Whether nothing of the run runs although it has not ended.
 *
 * @param {FleetRun} run
 */
const isWaiting = (run) =>
  !ended(run.status) && !run.vessels.some(({ status }) => ['running', 'retrying'].includes(status));

/**
 * The reason, if the fleet itself allows no further run now.
 *
 * @param {FleetRun} run
 */
async function fleetIsFull(run) {
  if (run.status !== 'scheduled') return null;
  const [fleet, { definition }] = await Promise.all([
    get(`/fleets/${run.fleet_id}`),
    get(`/fleets/${run.fleet_id}/versions/${run.fleet_version}`),
  ]);
  const most = definition.max_concurrent_runs;
  if (most === 0 || fleet.running < most) return null;
  return (
    `${runs(fleet.running)} of this fleet ${fleet.running === 1 ? 'is' : 'are'} running, ` +
    `and max_concurrent_runs is ${most}`
  );
}

/** @param {Status} status */
function runnerIsBusy({ runner, counts }) {
  const { running_vessels: busy, max_vessels: most } = runner;
  if (most > 0 && busy >= most)
    return `${most} vessels are running, as many as runner.max_vessels allows`;
  const others = `${runs(counts.runs_scheduled)} ${counts.runs_scheduled === 1 ? 'is' : 'are'}`;
  return `${others} scheduled, and ${busy} ${busy === 1 ? 'vessel is' : 'vessels are'} running`;
}

/** @param {FleetRun} run */
async function reason(run) {
  const status = await get('/status');
  if (!status.runner.enabled) return 'the runner is off (runner.enabled)';
  return (await fleetIsFull(run).catch(() => null)) ?? runnerIsBusy(status);
}

/** @param {VesselRun} vessel */
function nextAttempt({ next_attempt_at: next }) {
  if (!next) return 'the next one follows';
  if (Date.parse(next) > Date.now()) return `next at ${clockTime(next)}`;
  return 'next as soon as another vessel may run';
}

/**
 * How a vessel run that is tried again failed, and when the next attempt is due; else null.
 *
 * @param {VesselRun} vessel
 */
export function retry(vessel) {
  if (vessel.status !== 'retrying') return null;
  const { attempts, max_attempts: most, exit_code: exit, reason: why } = vessel;
  const which = most ? `${attempts} of ${most}` : attempts;
  const how = vessel.next_attempt_at ? `failed (exit ${exit})` : 'was interrupted';
  return `attempt ${which} ${how}, ${nextAttempt(vessel)}${why ? `: ${why}` : ''}`;
}

/**
 * A note that says why a run waits, and is hidden while it does not. draw() takes the run.
 *
 * @param {Page} page
 */
export function waitingNote(page) {
  const element = h('p', { class: 'soft', role: 'status', hidden: true });
  let askedAt = -Infinity;

  /** @param {FleetRun} run */
  async function draw(run) {
    element.hidden = !isWaiting(run);
    const now = performance.now();
    if (element.hidden || now - askedAt < LOOK_MS) return;
    askedAt = now;
    const why = await reason(run).catch(() => null); // live.js says that webhookd is away
    if (why && page.isOpen()) show(element, `This fleet run waits: ${why}.`);
  }
  return { element, draw };
}
