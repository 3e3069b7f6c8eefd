// Elements from plain values. Text is always text: nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.setAttribute('class', value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** h('p', {class: 'note'}, 'text', element…); null and false are left out. */
export const h = (tag, attributes, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** Puts these in the place of whatever is in the element. */
export const show = (element, ...children) =>
  element.replaceChildren(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false),
  );

/** Says something to everybody, also to those who do not see. */
export function say(text, kind = 'note') {
  const line = h('p', { class: `said ${kind}` }, text);
  const place = document.getElementById('said');
  if ([...place.children].some((one) => one.textContent === text)) return;
  while (place.childElementCount > 1) place.firstChild.remove();
  place.append(line);
  setTimeout(() => line.remove(), kind === 'error' ? 8000 : 3500);
}
