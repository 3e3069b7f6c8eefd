// The tab with the request that started a run: its headers and its body.
import { address, get, getBytes } from './api.js';
import { asText, bodyView, LARGEST_BYTES } from './body.js';
import { h, show } from './dom.js';
import { size } from './format.js';
import { table } from './table.js';
import { copyButton, idButton } from './widgets.js';

/** @import { Column, FleetRun, Page, RunHeaders } from './types.d.ts' */

/** A larger body is not put on the command line: an argument has at most 128 KiB (execve(2)). */
const LARGEST_ARGUMENT = 100000;

/** @param {FleetRun} run */
const fileOf = (run) => `${run.id}.body`;

/**
 * Whether curl reads the body from a file.
 *
 * @param {FleetRun} run
 * @param {Uint8Array} bytes
 */
const isFromFile = (run, bytes) => run.body_bytes > LARGEST_ARGUMENT || asText(bytes) === null;

/**
 * Quotes a text as one word for the shell.
 *
 * @param {string} text
 */
const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A curl command that sends the same request. It leaves out the headers that curl sets itself. A
 * body that is large or not text is read from the file that Download writes.
 *
 * @param {FleetRun} run
 * @param {RunHeaders} headers
 * @param {Uint8Array} bytes
 */
function curlOf(run, headers, bytes) {
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
  return [
    'curl -X POST "$WEBHOOK_URL"',
    ...lines,
    isFromFile(run, bytes)
      ? `--data-binary @${fileOf(run)}`
      : `--data-raw ${shell(asText(bytes) ?? '')}`,
  ].join(' \\\n  ');
}

/** @type {Column<{id: string, name: string, value: string}>[]} */
const headerColumns = [
  { title: 'Name', class: 'mono wide', cell: ({ name }) => name },
  { title: 'Value', class: 'mono wide', cell: ({ value }) => value },
];

/** @param {RunHeaders} headers */
function headerTable(headers) {
  const rows = Object.entries(headers).flatMap(([name, values]) =>
    values.map((value, i) => ({ id: `${i} ${name}`, name, value })),
  );
  if (rows.length === 0) return h('p', { class: 'soft' }, 'The request has no headers.');
  const list = table('Headers', headerColumns, ({ id }) => id);
  list.draw(rows);
  return list.element;
}

/**
 * Says what webhookd left out of the request, if anything.
 *
 * @param {FleetRun} run
 */
function withheldNote(run) {
  if (!run.withheld?.length) return null;
  return h(
    'p',
    { class: 'soft' },
    'Not stored, because it is an API key or a session of webhookd: ',
    run.withheld.map((name, i) => [i > 0 && ', ', h('b', { class: 'mono' }, name)]),
  );
}

/**
 * @param {Page} page
 * @param {FleetRun} run
 * @param {Uint8Array} bytes
 */
function bodyOf(page, run, bytes) {
  const note = (/** @type {string} */ text) => h('p', { class: 'soft' }, text);
  if (run.body_bytes === 0) return note('The request has no body.');
  if (run.body_bytes > LARGEST_BYTES)
    return note('The body is too large to be shown here. Download it instead.');
  return bodyView(page, bytes);
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
  const download = { class: 'button', href: address(path), download: fileOf(run) };
  const isSet =
    'Copied: set WEBHOOK_URL to the webhook’s URL before you run it' +
    (isFromFile(run, bytes) ? `, and download the body as ${fileOf(run)}` : '');
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
    withheldNote(run),
    h('p'),
    h('h2', null, 'Body'),
    h(
      'div',
      { class: 'row' },
      h('span', { class: 'soft' }, size(run.body_bytes)),
      hasBody && copyButton(run.body_sha256, 'Copy SHA-256', { title: run.body_sha256 }),
      hasBody && h('a', download, 'Download'),
      copyButton(() => curlOf(run, headers, bytes), 'Copy as curl', {}, isSet),
    ),
    h('p'),
    bodyOf(page, run, bytes),
  );
}
