// The admin API, as docs/openapi.yaml describes it. A request that fails throws an ApiError.

/** @import { FleetRun, Get, Post, Problem, Put } from './types.d.ts' */

const BASE = '/api/v1';

export class ApiError extends Error {
  /**
   * @param {number} status 0 if there was no answer
   * @param {string} message shown to the user
   * @param {Problem[]} [errors] in a fleet file
   * @param {string} [field] the part of the request that the error is about
   */
  constructor(status, message, errors = [], field = undefined) {
    super(message);
    this.status = status;
    this.errors = errors;
    this.field = field;
  }
}

/**
 * @param {unknown} error
 * @param {number} status
 */
export const hasStatus = (error, status) => error instanceof ApiError && error.status === status;

/**
 * Whether webhookd, or a proxy before it, cannot answer now but may answer later.
 *
 * @param {unknown} error
 */
export const isAway = (error) =>
  error instanceof ApiError && [0, 502, 503, 504].includes(error.status);

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Resolves to null if the answer is a 404.
 *
 * @template Value
 * @param {Promise<Value>} answer
 * @returns {Promise<Value | null>}
 */
export const orNull = (answer) =>
  answer.catch((error) => {
    if (hasStatus(error, 404)) return null;
    throw error;
  });

let onSignedOut = () => {};

/**
 * Registers the callback that runs whenever a request shows that the session has ended.
 *
 * @param {() => void} callback
 */
export const whenSignedOut = (callback) => {
  onSignedOut = callback;
};

/** @type {(id: string) => void} */
let onAnswered = () => {};

/**
 * Registers the callback that gets, from each answer, the id of the last event before it.
 *
 * @param {(id: string) => void} callback
 */
export const whenAnswered = (callback) => {
  onAnswered = callback;
};

/**
 * @param {string} method
 * @param {string} path
 * @param {string} [body]
 * @param {string} [type]
 * @param {Record<string, string>} [headers]
 */
async function request(method, path, body, type, headers = {}) {
  const answer = await fetch(path, {
    method,
    body,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: type ? { 'Content-Type': type, ...headers } : headers,
  }).catch(() => {
    throw new ApiError(
      0,
      'webhookd does not answer. Check that it is running and that this computer can reach it.',
    );
  });
  const eventId = answer.headers.get('X-Event-Id');
  if (eventId) onAnswered(eventId);
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== `${BASE}/session`) {
    onSignedOut();
    throw new ApiError(401, 'Your session has ended. Sign in again.');
  }
  const error = await answer.json().then(
    (envelope) => envelope.error,
    () => null,
  );
  const message = error?.message ?? `webhookd answered with status ${answer.status}`;
  throw new ApiError(answer.status, message, error?.errors, error?.field);
}

/** @type {typeof request} */
const send = (method, path, body, type, headers) =>
  request(method, BASE + path, body, type, headers);

/** @param {Response} answer */
const data = (answer) => answer.json().then((envelope) => envelope.data);

/** @type {Get} */
export const get = (/** @type {string} */ path) => send('GET', path).then(data);

/** Leads to signing in if the session has ended. Never fails. */
export const checkSession = () =>
  get('/session').catch((error) => {
    if (hasStatus(error, 401)) onSignedOut();
  });

/** @type {Post} */
export const post = (/** @type {string} */ path, /** @type {unknown} */ value = undefined) =>
  value === undefined
    ? send('POST', path).then(data)
    : send('POST', path, JSON.stringify(value), 'application/json').then(data);

/** @type {Put} */
export const put = (
  /** @type {string} */ path,
  /** @type {string | undefined} */ body = undefined,
  /** @type {string | undefined} */ type = undefined,
) => send('PUT', path, body, type).then(data);

/**
 * @param {string} path
 * @returns {Promise<void>}
 */
export const remove = (path) => send('DELETE', path).then(data);

/**
 * The headers as JSON in ASCII, which the value of a header can be.
 *
 * @param {[string, string][]} headers
 */
function asHeader(headers) {
  /** @type {Record<string, string[]>} */
  const lists = Object.create(null);
  for (const [name, value] of headers) (lists[name] ??= []).push(value);
  return JSON.stringify(lists).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Starts a run of a fleet with a body and headers, each a name and a value.
 *
 * @param {string} fleetId
 * @param {string} body
 * @param {string} type
 * @param {[string, string][]} headers
 * @returns {Promise<FleetRun>}
 */
export const startRun = (fleetId, body, type, headers) =>
  send('POST', `/fleets/${fleetId}/fleetruns`, body, type, {
    'X-Webhookd-Headers': asHeader(headers),
  }).then(data);

/**
 * Starts a run of a fleet with overrides, which are JSON.
 *
 * @param {string} fleetId
 * @param {string} overrides
 * @returns {Promise<{fleet_run_id: string}>}
 */
export const trigger = (fleetId, overrides) =>
  send('POST', `/fleets/${fleetId}/trigger`, overrides, 'application/json').then(data);

/** Reads webhookd's counters, in Prometheus' text format. */
export const getMetrics = () => request('GET', '/metrics').then((answer) => answer.text());

/** @param {string} path */
export const getBytes = (path) =>
  send('GET', path)
    .then((answer) => answer.arrayBuffer())
    .then((buffer) => new Uint8Array(buffer));

/**
 * The URL of an API path, for links and streams that the browser opens itself.
 *
 * @param {string} path
 */
export const address = (path) => BASE + path;
