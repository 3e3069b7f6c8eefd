// The tab with the request that started a run: its headers, and its body as JSON, text or hex.
import { address, get, getBytes } from './api.js';
import { h, show } from './dom.js';
import { size } from './format.js';
import { copyButton, idButton } from './widgets.js';

/** @import { FleetRun, Page, RunHeaders } from './types.d.ts' */

const SHOWN_BYTES = 256 * 1024;
const LARGEST_BYTES = 8 * 1024 * 1024;
const HEX_BYTES = 16384;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The bytes as text, or null if they are not text.
 *
 * @param {Uint8Array} bytes
 */
function asText(bytes) {
  try {
    const text = decoder.decode(bytes);
    return /[\0-\x08\x0e-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/**
 * JSON with line breaks and indentation, or null if the text is not JSON. Everything else stays as
 * it was sent, including numbers too large for JavaScript and duplicate keys.
 *
 * @param {string} text
 */
function asJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '{' || token === '[') {
      depth++;
      out += token + line();
    } else if (token === '}' || token === ']') {
      depth--;
      out = /[{[]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ',') {
      out += token + line();
    } else {
      out += token === ':' ? ': ' : token;
    }
  }
  return out;
}

/**
 * One line of a hex dump: sixteen bytes, as numbers and as characters.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function hexLine(bytes, at) {
  const line = [...bytes.subarray(at, at + 16)];
  const numbers = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const characters = line.map((byte) =>
    byte > 31 && byte < 127 ? String.fromCharCode(byte) : '.',
  );
  return `${at.toString(16).padStart(8, '0')}  ${numbers.padEnd(47)}  ${characters.join('')}`;
}

/** @param {Uint8Array} bytes */
function asHex(bytes) {
  const shown = bytes.subarray(0, HEX_BYTES);
  const lines = [];
  for (let at = 0; at < shown.length; at += 16) lines.push(hexLine(shown, at));
  return lines.join('\n') + (shown.length < bytes.length ? '\n…' : '');
}

/**
 * All views of a body, the most readable first. A body that was cut is not shown as JSON.
 *
 * @param {Uint8Array} bytes
 * @param {boolean} isCut
 * @returns {[string, string][]} names and texts
 */
function viewsOf(bytes, isCut) {
  /** @type {[string, string][]} */
  const views = [['Hex', asHex(bytes)]];
  const text = asText(bytes);
  if (text === null) return views;
  views.unshift(['Text', text]);
  const json = isCut ? null : asJson(text);
  if (json !== null) views.unshift(['JSON', json]);
  return views;
}

/**
 * @param {Uint8Array} bytes
 * @param {boolean} isCut
 */
function bodyView(bytes, isCut) {
  const views = viewsOf(bytes, isCut);
  const pre = h('pre', { class: 'block wrap', tabindex: '0', 'aria-label': 'Body' });
  const buttons = views.map(([name], i) =>
    h('button', { type: 'button', onclick: () => choose(i) }, name),
  );
  /** @param {number} chosen */
  function choose(chosen) {
    pre.textContent = views[chosen][1];
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === chosen)));
  }
  choose(0);
  return [h('div', { class: 'row' }, buttons), h('p'), pre];
}

/**
 * Quotes a text as one word for the shell.
 *
 * @param {string} text
 */
const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A curl command that sends the same request. It leaves out the headers that curl sets itself.
 *
 * @param {RunHeaders} headers
 * @param {Uint8Array} bytes
 */
function curlOf(headers, bytes) {
  const own = new Set([
    'content-length',
    'host',
    'connection',
    'transfer-encoding',
    'accept-encoding',
  ]);
  const lines = Object.entries(headers)
    .filter(([name]) => !own.has(name.toLowerCase()))
    .flatMap(([name, values]) =>
      values.map((value) => `-H ${shell(value === '' ? `${name};` : `${name}: ${value}`)}`),
    );
  const text = asText(bytes);
  return [
    'curl -X POST "$WEBHOOK_URL"',
    ...lines,
    text === null ? '--data-binary @body' : `--data-raw ${shell(text)}`,
  ].join(' \\\n  ');
}

/** @param {RunHeaders} headers */
function headerTable(headers) {
  const rows = Object.entries(headers).flatMap(([name, values]) =>
    values.map((value) =>
      h('tr', null, h('td', { class: 'mono' }, name), h('td', { class: 'wide mono' }, value)),
    ),
  );
  if (rows.length === 0) return h('p', { class: 'soft' }, 'The request has no headers.');
  return h('div', { class: 'table' }, h('table', null, h('tbody', null, rows)));
}

/**
 * @param {FleetRun} run
 * @param {Uint8Array} bytes
 */
function bodyOf(run, bytes) {
  const note = (/** @type {string} */ text) => h('p', { class: 'soft' }, text);
  if (run.body_bytes === 0) return note('The request has no body.');
  if (run.body_bytes > LARGEST_BYTES)
    return note('The body is too large to be shown here. Download it instead.');
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const isCut = shown.length < bytes.length;
  return [
    bodyView(shown, isCut),
    isCut &&
      note(`Only the first ${size(SHOWN_BYTES)} are shown. Download the body to see the rest.`),
  ];
}

/**
 * Fills `place` with the headers and the body of a run.
 *
 * @param {Element} place
 * @param {Page} page
 * @param {FleetRun} run
 */
export async function parameters(place, page, run) {
  const hasBody = run.body_bytes > 0;
  const isTooLarge = run.body_bytes > LARGEST_BYTES;
  const headers = await get(`/fleetruns/${run.id}/headers`);
  const path = `/fleetruns/${run.id}/body`;
  const bytes = hasBody && !isTooLarge ? await getBytes(path) : new Uint8Array();
  if (!page.isOpen()) return;
  const download = { class: 'button', href: address(path), download: `${run.id}.body` };
  const isSet = 'Copied: set WEBHOOK_URL to the webhook’s URL before you run it';
  const bold = (/** @type {string} */ text) => h('b', null, text);
  const query = h('b', { class: 'mono' }, `?${run.query_string}`);
  show(
    place,
    h(
      'div',
      { class: 'facts' },
      h('span', null, 'Request ID ', idButton(run.request_id)),
      h('span', null, 'From ', bold(run.remote_addr || '–')),
      run.host && h('span', null, 'Host ', bold(run.host)),
      run.query_string && h('span', null, 'Query ', query),
    ),
    h('p'),
    h('h2', null, 'Headers'),
    headerTable(headers),
    h('p'),
    h('h2', null, 'Body'),
    h(
      'div',
      { class: 'row' },
      h('span', { class: 'soft' }, size(run.body_bytes)),
      hasBody && copyButton(run.body_sha256, 'Copy SHA-256', { title: run.body_sha256 }),
      hasBody && h('a', download, 'Download'),
      !isTooLarge && copyButton(() => curlOf(headers, bytes), 'Copy as curl', {}, isSet),
    ),
    h('p'),
    bodyOf(run, bytes),
  );
}
