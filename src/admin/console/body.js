// The views of a request's body: indented JSON, text, and hex. parameters.js shows them.
import { h } from './dom.js';
import { size } from './format.js';
import { Lines } from './lines.js';

/** @import { Page } from './types.d.ts' */

/** A larger body is not shown. */
export const LARGEST_BYTES = 8 * 1024 * 1024;
const HEX_BYTES = 1024 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The bytes as text, or null if they are not text.
 *
 * @param {Uint8Array} bytes
 */
export function asText(bytes) {
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
  /** @type {string[]} */
  const out = [];
  let depth = 0;
  let last = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const isClosing = token === '}' || token === ']';
    const wasOpening = last === '{' || last === '[';
    if (isClosing) depth--;
    if (isClosing ? !wasOpening : wasOpening || last === ',') out.push(line());
    out.push(token === ':' ? ': ' : token);
    if (token === '{' || token === '[') depth++;
    last = token;
  }
  return out.join('');
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
  if (shown.length < bytes.length)
    lines.push(`… only the first ${size(HEX_BYTES)}: download the body to see the rest`);
  return lines.join('\n');
}

/**
 * All views of a body, the most readable first: names, and functions that return texts.
 *
 * @param {Uint8Array} bytes
 * @returns {[string, () => string][]}
 */
function viewsOf(bytes) {
  const text = asText(bytes);
  const json = text === null ? null : asJson(text);
  return [
    .../** @type {[string, () => string][]} */ (json === null ? [] : [['JSON', () => json]]),
    .../** @type {[string, () => string][]} */ (text === null ? [] : [['Text', () => text]]),
    ['Hex', () => asHex(bytes)],
  ];
}

/**
 * @param {Page} page
 * @param {Uint8Array} bytes
 */
export function bodyView(page, bytes) {
  const views = viewsOf(bytes);
  const element = h('div', { class: 'output', tabindex: '0', role: 'group', 'aria-label': 'Body' });
  const lines = new Lines(element, { isTerminal: false });
  const buttons = views.map(([name], i) =>
    h('button', { type: 'button', onclick: () => choose(i) }, name),
  );
  /** @param {number} chosen */
  function choose(chosen) {
    const [name, text] = views[chosen];
    element.classList.toggle('wrap', name !== 'Hex');
    lines.clear();
    lines.write(text());
    lines.finish();
    element.scrollTop = 0;
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === chosen)));
  }
  choose(0);
  page.onLeave(() => lines.end());
  return [h('div', { class: 'row' }, buttons), h('p'), element];
}
