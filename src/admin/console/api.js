// The admin API, as docs/openapi.yaml has it. A call that fails throws an ApiError, whose message is for people.

export class ApiError extends Error {
  constructor(status, message, field, errors) {
    super(message);
    this.status = status;
    this.field = field;
    this.errors = errors ?? [];
  }
}

const BASE = '/api/v1';
let onSignedOut = () => {};
export const whenSignedOut = (callback) => {
  onSignedOut = callback;
};

async function send(method, path, { body, type, signal } = {}) {
  let answer;
  try {
    answer = await fetch(BASE + path, {
      method,
      body,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: type ? { 'Content-Type': type } : {},
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(
      0,
      'webhookd does not answer. Is it running, and is this machine still connected to it?',
    );
  }
  if (answer.ok) return answer;
  const said = await answer.json().then(
    (envelope) => envelope.error,
    () => null,
  );
  if (answer.status === 401 && path !== '/session') {
    onSignedOut();
    throw new ApiError(401, 'Your session has ended: sign in again.');
  }
  throw new ApiError(
    answer.status,
    said?.message ?? `webhookd answered with ${answer.status}`,
    said?.field,
    said?.errors,
  );
}

const data = (answer) => answer.json().then((envelope) => envelope.data);
export const get = (path, options) => send('GET', path, options).then(data);
export const post = (path, value) =>
  send(
    'POST',
    path,
    value === undefined ? {} : { body: JSON.stringify(value), type: 'application/json' },
  ).then(data);
export const put = (path, body, type) => send('PUT', path, { body, type }).then(data);
export const remove = (path) => send('DELETE', path).then(data);
export const upload = (path, body, type) => send('POST', path, { body, type }).then(data);
/** The bytes themselves. */
export const getBytes = (path, options) =>
  send('GET', path, options)
    .then((answer) => answer.arrayBuffer())
    .then((buffer) => new Uint8Array(buffer));
export const address = (path) => BASE + path;
