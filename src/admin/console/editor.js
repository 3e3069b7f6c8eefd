// A fleet file with line numbers, and what is wrong with it at its lines.
import { ApiError, put } from './api.js';
import { h, keyed, set, show } from './dom.js';
import { actionButton } from './widgets.js';

const TYPE = 'application/yaml';

/** Keeps the numbers beside the lines. `readOnly`: to look at. */
export function editor(text, { readOnly = false, label = 'Fleet file' } = {}) {
  const numbers = h('pre', { class: 'numbers', 'aria-hidden': 'true' });
  const area = h('textarea', {
    value: text,
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-label': label,
    wrap: 'off',
    readonly: readOnly,
    rows: 8,
  });
  let bad = new Map();

  function number() {
    const count = area.value.split('\n').length;
    keyed(
      numbers,
      Array.from({ length: count }, (_, i) => ({ line: i + 1, message: bad.get(i + 1) })),
      ({ line }) => line,
      ({ line }) => h('span', null, String(line)),
      (element, { message }) => set(element, { class: message && 'bad', title: message }),
    );
    area.rows = Math.min(Math.max(count, 6) + 1, 34);
  }

  area.addEventListener('input', () => {
    bad = new Map();
    number();
    if (!readOnly) area.toggleAttribute('data-unsaved', area.value !== text);
  });
  area.addEventListener('scroll', () => {
    numbers.scrollTop = area.scrollTop;
  });
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Tab' || readOnly || event.shiftKey || event.ctrlKey || event.altKey) return;
    if (area.selectionStart === 0 && area.selectionEnd === 0)
      return; /* who only passes through is let through */
    event.preventDefault();
    area.setRangeText('  ', area.selectionStart, area.selectionEnd, 'end');
    area.dispatchEvent(new Event('input'));
  });
  number();
  return {
    element: h('div', { class: 'editor' }, numbers, area),
    get text() {
      return area.value;
    },
    set text(value) {
      area.value = value;
      area.dispatchEvent(new Event('input'));
    },
    focus: () => {
      area.setSelectionRange(0, 0);
      area.focus({ preventScroll: true });
      area.scrollTop = 0;
    },
    saved: () => area.removeAttribute('data-unsaved'),
    mark(errors) {
      bad = new Map(
        errors.filter((error) => error.line).map((error) => [error.line, error.message]),
      );
      number();
    },
    goTo(line) {
      const lines = area.value.split('\n'),
        at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      area.focus();
      area.setSelectionRange(at, at + (lines[line - 1]?.length ?? 0));
      area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 5);
    },
  };
}

const wouldBe = {
  created: () => 'Applying it would make a new fleet.',
  updated: ({ version }) => `Applying it would make v${version}.`,
  unchanged: () => 'The fleet is like this already.',
};
const place = (error) =>
  [error.line && `line ${error.line}`, error.path].filter(Boolean).join(', ');

/** An editor with Check and Apply. `projectId` is a function; `done` gets what was applied; `mayApply`, if given, is asked before that with what it would do; `more`: a further button. */
export function applyForm(text, projectId, done, { mayApply = null, more = null } = {}) {
  const edit = editor(text),
    said = h('div', { role: 'alert' });

  async function send(isCheck) {
    const call = (query) => put(`/projects/${projectId()}/fleets${query}`, edit.text, TYPE);
    show(said);
    edit.mark([]);
    try {
      if (!isCheck && mayApply && !(await mayApply(await call('?check=1')))) return;
      const applied = await call(isCheck ? '?check=1' : '');
      const notes = applied.notes.map((note) =>
        h('p', { class: 'warning' }, note.message, note.line && ` (line ${note.line})`),
      );
      show(said, notes);
      if (isCheck)
        show(
          said,
          notes,
          h(
            'p',
            { class: 'soft' },
            `No errors. ${wouldBe[applied.would.outcome](applied.would)} Nothing was changed.`,
          ),
        );
      else {
        edit.saved();
        done(applied);
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.errors.length === 0) throw error;
      error.errors.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
      edit.mark(error.errors);
      show(
        said,
        h(
          'div',
          { class: 'problem' },
          h(
            'strong',
            null,
            `${error.errors.length} ${error.errors.length === 1 ? 'error' : 'errors'}; nothing was changed.`,
          ),
          h(
            'ul',
            null,
            error.errors.map((one) =>
              h(
                'li',
                null,
                one.line &&
                  h(
                    'button',
                    { type: 'button', class: 'id', onclick: () => edit.goTo(one.line) },
                    place(one),
                  ),
                !one.line && place(one),
                ' ',
                one.message,
              ),
            ),
          ),
        ),
      );
    }
  }

  return {
    edit,
    element: h(
      'div',
      null,
      edit.element,
      h(
        'div',
        { class: 'row actions' },
        actionButton('Apply', () => send(false), { class: 'main' }),
        actionButton('Check', () => send(true)),
        more,
      ),
      said,
    ),
  };
}
