// What several pages show.
import { h, keyed, say, show, svg } from './dom.js';
import { shortId } from './format.js';

const words = {
  scheduled: 'waiting',
  running: 'running',
  retrying: 'retrying',
  success: 'success',
  errored: 'errored',
  terminated: 'terminated',
  incomplete: 'not run',
};

/** A status as a circle and a word: never by colour alone. */
export const status = (name) =>
  h(
    'span',
    { class: `status ${name}` },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    words[name] ?? name,
  );
export const statusWord = (name) => words[name] ?? name;

/** Stands where there is no value. */
export const none = () => h('span', { class: 'none' }, '–');

/** A link within the console. */
export const link = (to, ...children) => h('a', { href: to }, ...children);

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* no permission, or no secure page: the old way */
  }
  const area = h('textarea', { class: 'off-screen', value: text, 'aria-hidden': 'true' });
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

/** A button that copies; text may be a function. */
export function copyButton(text, label = 'Copy', attributes = {}, done = 'Copied') {
  return h(
    'button',
    {
      type: 'button',
      ...attributes,
      onclick: async () => {
        const copied = await toClipboard(typeof text === 'function' ? text() : text);
        say(
          copied ? done : 'The browser did not let it be copied: select it by hand',
          copied ? 'note' : 'error',
        );
      },
    },
    label,
  );
}

/** An id, shortened; a click copies the whole of it. */
export const idButton = (id) =>
  copyButton(id, shortId(id), { class: 'id', title: `${id} – click to copy` });

/** The same beside a link that shows it. */
const copyIcon = () =>
  svg(
    'svg',
    { viewBox: '0 0 16 16', width: 13, height: 13, 'aria-hidden': 'true', class: 'icon' },
    svg('rect', { x: 5, y: 5, width: 9, height: 9, rx: 2 }),
    svg('path', { d: 'M11 5V4a2 2 0 0 0-2-2H4a2 2 0 0 0-2 2v5a2 2 0 0 0 2 2h1' }),
  );
export const copyId = (id) =>
  copyButton(id, copyIcon(), {
    class: 'id',
    title: `${id} – click to copy`,
    'aria-label': `Copy id ${id}`,
  });

const sayFailure = (error) => say(error.message, 'error');

/** A button whose action may fail, and does not run twice at the same time. */
export function actionButton(label, action, attributes = {}, whenFailed = sayFailure) {
  const button = h('button', { type: 'button', ...attributes }, label);
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return; // not `disabled`, which would take the focus away
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

/**
 * The one modal dialog. `body` is a function of what closes the dialog with a value. Each button has
 * a `label` and an `act`, and closes the dialog with what that returns; if it throws, the dialog
 * stays and shows why. Resolves to the value, or to undefined after Cancel or Escape, which
 * `mayCancel: false` forbids. The focus starts at the first element with `autofocus`, else at
 * Cancel, and returns to where it was.
 */
export function dialog({ title, body, buttons = [], mayCancel = true }) {
  return new Promise((resolve) => {
    let answer;
    let isAnswered = false;
    let isBusy = false;
    const failure = h('p', { class: 'problem', role: 'alert', hidden: true });

    function close(value) {
      answer = value;
      isAnswered = true;
      element.close();
    }

    function cancel() {
      if (mayCancel && !isBusy) close();
    }

    async function run(act) {
      isBusy = true;
      failure.hidden = true;
      try {
        close(await act());
      } finally {
        isBusy = false;
      }
    }

    function showFailure(error) {
      failure.textContent = error.message;
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
      // Browsers close a dialog after some Escapes, whatever it does.
      if (!isAnswered && (!mayCancel || isBusy)) return element.showModal();
      element.remove();
      resolve(answer);
    });
    document.body.append(element);
    element.showModal();
  });
}

/** Asks before something is done. Resolves to whether it shall be done. */
export async function confirm(title, text, doIt) {
  const yes = { label: doIt, class: 'danger', act: () => true };
  return (await dialog({ title, body: () => h('p', null, text), buttons: [yes] })) === true;
}

/** Draws a line of facts, by name. A fact that is the same stays, and so does a selection in it. */
export const drawFacts = (place, facts) =>
  keyed(
    place,
    Object.entries(facts).filter(([, fact]) => fact),
    ([name]) => name,
    () => h('span'),
    (element, [, fact]) => show(element, fact),
  );

/** Draws the options [value, text] of a select. The one that is chosen stays so. */
export const drawOptions = (select, options) =>
  keyed(
    select,
    options,
    ([value]) => value,
    ([value]) => h('option', { value }),
    (option, [, text]) => show(option, text),
  );

export function select(label, options) {
  const element = h('select', { 'aria-label': label });
  drawOptions(element, options);
  return element;
}

export const tabs = (list, current) =>
  h(
    'nav',
    { class: 'tabs', 'aria-label': 'Tabs' },
    list.map(([name, to, label]) =>
      h('a', { href: to, 'aria-current': name === current ? 'page' : null }, label),
    ),
  );

export const crumbs = (...parts) =>
  h(
    'nav',
    { class: 'crumbs', 'aria-label': 'Where you are' },
    parts.map((part, i) => [i > 0 && h('span', { 'aria-hidden': 'true' }, ' › '), part]),
  );

export const empty = (title, ...children) =>
  h('div', { class: 'empty' }, h('h2', null, title), ...children);

export const problem = (error) =>
  h(
    'div',
    { class: 'problem', role: 'alert' },
    h('strong', null, 'That did not work. '),
    error.message,
  );
