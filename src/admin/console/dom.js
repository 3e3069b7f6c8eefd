// Creates elements from plain values. Text remains text: nothing here parses markup, and characters
// that reverse or reorder the text around them are shown by name.

/** @import { Attributes, Child } from './types.d.ts' */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The bidirectional controls of Unicode (UAX #9, section 2).
 *
 * @type {Record<string, string>}
 */
const BIDI = {
  '\u061c': 'ALM',
  '\u200e': 'LRM',
  '\u200f': 'RLM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
};
const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The text with visible marks, such as ‹RLO›, in place of bidirectional controls.
 *
 * @param {string} text
 */
export const visible = (text) => text.replace(BIDI_CONTROL, (one) => `‹${BIDI[one]}›`);

/** Attributes that people read. */
const READ = new Set(['title', 'aria-label']);

/**
 * Sets attributes and listeners (such as `onclick`). null, undefined and false remove an attribute.
 *
 * @param {Element} element
 * @param {Attributes | null} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (typeof value === 'function') element.addEventListener(name.slice('on'.length), value);
    else if (name === 'value' || name === 'checked') Object.assign(element, { [name]: value });
    else if (READ.has(name)) element.setAttribute(name, visible(String(value)));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * @param {Child} child
 * @returns {(Node | string)[]}
 */
function flat(child) {
  if (child === null || child === undefined || child === false) return [];
  if (typeof child === 'string') return [visible(child)];
  return child instanceof Node ? [child] : child.flatMap(flat);
}

/**
 * Creates an element: h('p', {class: 'note'}, 'text', element…). Children that are null, undefined
 * or false are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children
 */
export function h(tag, attributes = null, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...flat(children));
  return element;
}

/**
 * The same for SVG elements.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children
 */
export function svg(tag, attributes = null, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...flat(children));
  return element;
}

/**
 * Returns an element of index.html.
 *
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * Makes these the only children of the element. Does nothing if they already are.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function show(element, ...children) {
  const wanted = flat(children);
  const isDone =
    wanted.length === element.childNodes.length &&
    wanted.every((child, i) => child === element.childNodes[i]);
  if (!isDone) element.replaceChildren(...wanted);
}

/**
 * Whether two plain values are deeply equal. Elements are compared with isEqualNode().
 *
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (a instanceof Node || b instanceof Node) return a instanceof Node && a.isEqualNode(b);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], b[name]));
}

/**
 * The items and elements that keyed() has drawn, by parent and by key.
 *
 * @type {WeakMap<Element, Map<unknown, {item: unknown, element: any}>>}
 */
const drawn = new WeakMap();

/**
 * Gives `parent` one child for each of `items`, in that order. A child is kept, with its focus,
 * selection, open details and scroll position, as long as its item's key is among the items.
 * `build` creates the child; `update` fills it in, after `build` and whenever the item has changed.
 *
 * @template Item
 * @template {Element} Kept
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {(item: Item) => unknown} key
 * @param {(item: Item) => Kept} build
 * @param {(child: Kept, item: Item) => void} update
 */
export function keyed(parent, items, key, build, update) {
  const before = drawn.get(parent);
  const now = new Map();
  for (const item of items) {
    const known = before?.get(key(item));
    const element = known?.element ?? build(item);
    if (!known || !isSame(known.item, item)) update(element, item);
    now.set(key(item), { item, element });
  }
  const wanted = new Set([...now.values()].map(({ element }) => element));
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let place = parent.firstChild;
  for (const element of wanted) {
    if (element === place) place = element.nextSibling;
    else parent.insertBefore(element, place);
  }
  drawn.set(parent, now);
}

/**
 * Shows a message for a few seconds. Screen readers read it out.
 *
 * @param {string} text
 * @param {'note' | 'error'} [kind]
 */
export function say(text, kind = 'note') {
  const line = h('p', { class: `said ${kind}` }, text);
  const place = byId('said');
  if ([...place.children].some((one) => one.textContent === text)) return;
  while (place.childElementCount > 1) place.firstChild?.remove();
  place.append(line);
  setTimeout(() => line.remove(), kind === 'error' ? 8000 : 3500);
}
