// Elements from plain values. Text is always text: nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

/** Sets attributes and listeners (`onclick` and so on). null, undefined and false take one away. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

const isShown = (child) => child !== null && child !== undefined && child !== false;

function create(element, attributes, children) {
  set(element, attributes);
  element.append(...children.flat(Infinity).filter(isShown));
  return element;
}

/** h('p', {class: 'note'}, 'text', element…). Children that are null or false are left out. */
export const h = (tag, attributes, ...children) =>
  create(document.createElement(tag), attributes, children);

/** The same for a picture. */
export const svg = (tag, attributes, ...children) =>
  create(document.createElementNS(SVG, tag), attributes, children);

/** Makes these the only children of the element. It is left alone if they are. */
export function show(element, ...children) {
  const wanted = children.flat(Infinity).filter(isShown);
  const isDone =
    wanted.length === element.childNodes.length &&
    wanted.every((child, i) => child === element.childNodes[i]);
  if (!isDone) element.replaceChildren(...wanted);
}

/** Whether two plain values are equal, whatever they hold; elements are if they look the same. */
function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (a instanceof Node || b instanceof Node) return a instanceof Node && a.isEqualNode(b);
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], b[name]));
}

/** parent → (key → {item, element}), as keyed() left them. */
const drawn = new WeakMap();

/**
 * Makes the children of `parent` those of `items`, in that order. An item's child lives as long as
 * the item's key is among them, and with it focus, selection, open details and scrolling. `build`
 * creates the child; `update` fills it in, then and whenever the item is no longer equal.
 */
export function keyed(parent, items, key, build, update) {
  const before = drawn.get(parent) ?? new Map();
  const now = new Map();
  for (const item of items) {
    const known = before.get(key(item));
    const element = known?.element ?? build(item);
    if (!known || !isSame(known.item, item)) update(element, item);
    now.set(key(item), { item, element });
  }
  const wanted = new Set([...now.values()].map(({ element }) => element));
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let place = parent.firstChild;
  for (const element of wanted) {
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
  drawn.set(parent, now);
}

/** Says something to everybody, also to those who do not see. */
export function say(text, kind = 'note') {
  const line = h('p', { class: `said ${kind}` }, text);
  const place = document.getElementById('said');
  if ([...place.children].some((one) => one.textContent === text)) return;
  while (place.childElementCount > 1) place.firstChild.remove();
  place.append(line);
  setTimeout(() => line.remove(), kind === 'error' ? 8000 : 3500);
}
