// The bar below the header: says what keeps webhookd from accepting requests or running fleets. It
// is empty if all is well.
import { get } from './api.js';
import { byId, h, show } from './dom.js';
import { size } from './format.js';

/** @import { Status } from './types.d.ts' */

const LOOK_MS = 15000;

/** @param {number} count */
const waiting = (count) => `${count} ${count === 1 ? 'run waits' : 'runs wait'}`;

/** @param {Status} status */
function problemsOf({
  ready,
  not_ready_because: why,
  disk,
  runner,
  counts,
  key_problem: keyProblem,
}) {
  const bound = size(disk.min_free_bytes);
  const free = `${size(disk.free_bytes)} free on its disk, min_free is ${bound}`;
  return [
    !ready && `webhookd accepts no requests: ${why ?? 'the reason is unknown'} (${free}).`,
    !runner.enabled &&
      `The runner is off (runner.enabled): ${waiting(counts.runs_scheduled)} until it is on.`,
    keyProblem !== null && `${keyProblem}.`,
  ].filter((one) => one !== false);
}

async function look() {
  if (document.hidden) return;
  const status = await get('/status').catch(() => null); // live.js says that webhookd is away
  if (!status) return;
  const problems = problemsOf(status).map((text) => h('p', null, text));
  const place = byId('machine');
  const isSame =
    problems.length === place.childElementCount &&
    problems.every((one, i) => one.isEqualNode(place.children[i]));
  if (!isSame) show(place, problems);
}

let timer = 0;

/** Stops looking, and hides the bar: nobody is signed in. */
export function stopWatchingMachine() {
  clearInterval(timer);
  timer = 0;
  show(byId('machine'));
}

/** Looks now and then, while a user is signed in and the page is visible. */
export function watchMachine() {
  stopWatchingMachine();
  timer = setInterval(look, LOOK_MS);
  look();
}

document.addEventListener('visibilitychange', () => {
  if (timer) look();
});
