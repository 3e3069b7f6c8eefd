// The filters of a list of runs. The address of the list has them, and so do the addresses of its
// runs' pages: from those, a reader can go on to the next run of the list (neighbours.js).

/** @import { Option, RunFilter, RunStatus } from './types.d.ts' */

const HOUR_MS = 3600000;
/** @type {Record<string, number | undefined>} */
const spans = { '1h': HOUR_MS, '1d': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS };

/** @type {RunStatus[]} */
const statuses = ['scheduled', 'running', 'success', 'errored', 'terminated'];

/**
 * The choices of each filter. '' = any.
 *
 * @type {Record<keyof RunFilter, Option[]>}
 */
export const choices = {
  status: [['', 'Any status'], ...statuses.map((name) => /** @type {Option} */ ([name, name]))],
  trigger: [
    ['', 'Any trigger'],
    ['webhook', 'webhook'],
    ['on_demand', 'on demand'],
    ['api', 'API'],
  ],
  since: [
    ['', 'Any time'],
    ['1h', 'Last hour'],
    ['1d', 'Last 24 hours'],
    ['7d', 'Last 7 days'],
  ],
};

/** @type {(name: keyof RunFilter, value: string) => string} */
const wordOf = (name, value) => (value && choices[name].find(([one]) => one === value)?.[1]) || '';

/**
 * The filters in the address of the open page. A value that is none of the choices counts as ''.
 *
 * @returns {RunFilter}
 */
export function filterHere() {
  const wanted = new URLSearchParams(location.search);
  const read = (/** @type {keyof RunFilter} */ name) => {
    const value = wanted.get(name) ?? '';
    return choices[name].some(([one]) => one === value) ? value : '';
  };
  return { status: read('status'), trigger: read('trigger'), since: read('since') };
}

/**
 * The filters that are set, in words: "errored, last 24 hours".
 *
 * @param {RunFilter} filter
 */
export const inWords = ({ status, trigger, since }) =>
  [wordOf('status', status), wordOf('trigger', trigger), wordOf('since', since).toLowerCase()]
    .filter(Boolean)
    .join(', ');

/**
 * A path to a page of a run, with the filters in the address of the open page.
 *
 * @param {string} path
 */
export function withFilter(path) {
  const set = Object.entries(filterHere()).filter(([, value]) => value);
  return set.length > 0 ? `${path}?${new URLSearchParams(set)}` : path;
}

/**
 * The filters as the API's parameters.
 *
 * @param {RunFilter} filter
 */
export function parametersOf({ status, trigger, since }) {
  const parameters = new URLSearchParams();
  const span = spans[since];
  if (status) parameters.set('status', status);
  if (trigger) parameters.set('trigger', trigger);
  if (span) parameters.set('since', new Date(Date.now() - span).toISOString());
  return parameters;
}
