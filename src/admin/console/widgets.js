// Elements that several pages use: statuses, buttons, dialogs, facts, tabs.
import { messageOf } from './api.js';
import { h, keyed, say, set, show, svg } from './dom.js';
import { shortId } from './format.js';
import { mark } from './marks.js';

/** @import { Answer, Attributes, Child, Option, VesselRunStatus } from './types.d.ts' */

/**
 * A status as a mark and a word.
 *
 * @param {VesselRunStatus} name
 */
export const status = (name) => h('span', { class: `status ${name}` }, mark(name), name);

/** Shown in the place of a missing value. */
export const none = () => h('span', { class: 'none' }, '–');

/**
 * A link within the console.
 *
 * @param {string} path
 * @param {...Child} children
 */
export const link = (path, ...children) => h('a', { href: path }, ...children);

/**
 * A name, as a link if there is a path. A name that is too long for its place is clipped; the title
 * has all of it.
 *
 * @param {string} text
 * @param {string} [path]
 */
export const named = (text, path) =>
  path
    ? h('a', { class: 'clip', title: text, href: path }, text)
    : h('span', { class: 'clip', title: text }, text);

/* ---- buttons ---- */

/** @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or not a secure context: execCommand may still work.
  }
  const area = h('textarea', { class: 'off-screen', value: text, 'aria-hidden': 'true' });
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}

/**
 * A button that copies a text, or the text that a function returns.
 *
 * @param {string | (() => string)} text
 * @param {Child} [label]
 * @param {Attributes} [attributes]
 * @param {string} [done] the message shown afterwards
 */
export function copyButton(text, label = 'Copy', attributes = {}, done = 'Copied') {
  async function onclick() {
    const isCopied = await toClipboard(typeof text === 'function' ? text() : text);
    if (isCopied) say(done);
    else
      say(
        'The browser did not allow copying: allow it to use the clipboard, then try again',
        'error',
      );
  }
  return h('button', { type: 'button', ...attributes, onclick }, label);
}

/** @param {string} id */
const copyHint = (id) => `${id} – click to copy`;

/**
 * A shortened id. A click copies the whole id.
 *
 * @param {string} id
 */
export const idButton = (id) => copyButton(id, shortId(id), { class: 'id', title: copyHint(id) });

const copyIcon = () =>
  svg(
    'svg',
    { viewBox: '0 0 16 16', width: 13, height: 13, 'aria-hidden': 'true', class: 'icon' },
    svg('rect', { x: 5, y: 5, width: 9, height: 9, rx: 2 }),
    svg('path', { d: 'M11 5V4a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v5a2 2 0 0 0 2 2h1' }),
  );

/**
 * A copy button with an icon, to stand beside a link that shows the id.
 *
 * @param {string} id
 */
export const copyId = (id) =>
  copyButton(id, copyIcon(), {
    class: 'id',
    tabindex: '-1', // the page that the link leads to offers the id as well
    title: copyHint(id),
    'aria-label': `Copy ID ${id}`,
  });

/** @param {unknown} error */
const sayFailure = (error) => say(messageOf(error), 'error');

/**
 * A button whose action may fail and never runs twice at the same time.
 *
 * @param {string} label
 * @param {() => unknown} action
 * @param {Attributes} [attributes]
 * @param {(error: unknown) => void} [whenFailed]
 */
export function actionButton(label, action, attributes = {}, whenFailed = sayFailure) {
  const button = h('button', { type: 'button', ...attributes }, label);
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return; // `disabled` would remove the focus
    button.ariaDisabled = 'true';
    try {
      await action();
    } catch (error) {
      whenFailed(error);
    } finally {
      button.ariaDisabled = null;
    }
  });
  return button;
}

/* ---- dialogs ---- */

/**
 * Opens a modal dialog. `body` gets a function that closes the dialog with a value, and returns the
 * content. A button closes the dialog with the result of its `act`; if that throws, the dialog
 * stays open and shows why. Resolves to the value, or to undefined after Cancel or Escape;
 * `mayCancel: false` forbids both. The first element with `autofocus` gets the focus, otherwise
 * Cancel; closing the dialog returns the focus to where it was.
 *
 * @template Value
 * @param {object} options
 * @param {string} options.title
 * @param {(close: (value: Value) => void) => Child} options.body
 * @param {Answer<Value>[]} [options.buttons]
 * @param {boolean} [options.mayCancel]
 * @returns {Promise<Value | undefined>}
 */
export function dialog({ title, body, buttons = [], mayCancel = true }) {
  return new Promise((resolve) => {
    /** @type {Value | undefined} */
    let answer;
    let isAnswered = false;
    let isBusy = false;
    const failure = h('p', { class: 'problem', role: 'alert', hidden: true });

    /** @param {Value} [value] */
    function close(value) {
      answer = value;
      isAnswered = true;
      element.close();
    }

    function cancel() {
      if (mayCancel && !isBusy) close();
    }

    /** @param {Answer<Value>['act']} act */
    async function run(act) {
      isBusy = true;
      failure.hidden = true;
      try {
        close(await act());
      } finally {
        isBusy = false;
      }
    }

    /** @param {unknown} error */
    function showFailure(error) {
      failure.textContent = messageOf(error);
      failure.hidden = false;
    }

    const element = h(
      'dialog',
      { class: 'ask', 'aria-label': title },
      h('h2', null, title),
      body(close),
      failure,
      h(
        'div',
        { class: 'row end' },
        mayCancel && h('button', { type: 'button', autofocus: true, onclick: cancel }, 'Cancel'),
        buttons.map(({ label, act, ...attributes }) =>
          actionButton(label, () => run(act), attributes, showFailure),
        ),
      ),
    );
    element.addEventListener('cancel', (event) => {
      event.preventDefault();
      cancel();
    });
    element.addEventListener('close', () => {
      // After several Escapes, browsers close a dialog even if it prevents that.
      if (!isAnswered && (!mayCancel || isBusy)) return element.showModal();
      element.remove();
      resolve(answer);
    });
    document.body.append(element);
    element.showModal();
  });
}

/**
 * Asks the user to confirm an action. Resolves to true if they do.
 *
 * @param {string} title
 * @param {string} text
 * @param {string} doIt
 * @param {'danger' | 'main'} [kind] "danger" if something is lost
 */
export async function confirm(title, text, doIt, kind = 'danger') {
  const yes = { label: doIt, class: kind, act: () => true };
  return (await dialog({ title, body: () => h('p', null, text), buttons: [yes] })) === true;
}

/* ---- parts of pages ---- */

/**
 * Lets a key reach an element while something in it is out of sight, so that the arrow keys can
 * scroll it. Otherwise it is no stop for the Tab key. `content` is what grows in it.
 *
 * @template {HTMLElement} Kept
 * @param {Kept} element
 * @param {string} label
 * @param {Element} [content]
 * @returns {Kept}
 */
export function scrollable(element, label, content = element) {
  function look() {
    const isClipped =
      element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    set(element, {
      tabindex: isClipped && '0',
      role: isClipped && 'region',
      'aria-label': isClipped && label,
    });
  }
  const observer = new ResizeObserver(look);
  observer.observe(element);
  observer.observe(content);
  return element;
}

/**
 * Draws a line of facts, by name. An unchanged fact keeps its element, and with it a selection.
 *
 * @param {Element} place
 * @param {Record<string, Child>} facts
 */
export const drawFacts = (place, facts) =>
  keyed(
    place,
    Object.entries(facts).filter(([, fact]) => fact),
    ([name]) => name,
    () => h('span'),
    (element, [, fact]) => show(element, fact),
  );

/**
 * Draws the options of a select element. The selected option stays selected.
 *
 * @param {HTMLSelectElement} element
 * @param {Option[]} options
 */
export const drawOptions = (element, options) =>
  keyed(
    element,
    options,
    ([value]) => value,
    ([value]) => h('option', { value }),
    (option, [, text]) => show(option, text),
  );

/**
 * @param {string} label
 * @param {Option[]} options
 */
export function select(label, options) {
  const element = h('select', { 'aria-label': label });
  drawOptions(element, options);
  return element;
}

/**
 * @param {[string, string, string][]} list name, path and label of each
 * @param {string} current
 */
export const tabs = (list, current) =>
  h(
    'nav',
    { class: 'tabs', 'aria-label': 'Tabs' },
    list.map(([name, path, label]) =>
      h('a', { href: path, 'aria-current': name === current ? 'page' : null }, label),
    ),
  );

/** @param {...Child} parts */
export const crumbs = (...parts) =>
  h(
    'nav',
    { class: 'crumbs', 'aria-label': 'Breadcrumb' },
    parts.map((part, i) => [i > 0 && h('span', { 'aria-hidden': 'true' }, '›'), part]),
  );

/**
 * Shown in the place of an empty list or a missing thing.
 *
 * @param {string} title
 * @param {...Child} children
 */
export const empty = (title, ...children) =>
  h('div', { class: 'empty' }, h('h2', null, title), ...children);

/** @param {unknown} error */
export const problem = (error) => h('div', { class: 'problem', role: 'alert' }, messageOf(error));
