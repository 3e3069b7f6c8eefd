// Signing in with an API key: on a page, or in a dialog if the page behind it has unsaved text.
import { messageOf, post } from './api.js';
import { h, show } from './dom.js';
import { dialog } from './widgets.js';

/**
 * Calls `done` with the name of the key that was accepted.
 *
 * @param {(keyName: string) => void} done
 */
function signInForm(done) {
  const input = h('input', {
    id: 'key',
    name: 'key',
    type: 'password',
    autocomplete: 'current-password',
    spellcheck: 'false',
    required: true,
    autofocus: true,
    'aria-describedby': 'key-hint',
  });
  const said = h('p', { role: 'alert', class: 'problem', hidden: true });
  const button = h('button', { class: 'main' }, 'Sign in');

  /** @param {Event} event */
  async function onsubmit(event) {
    event.preventDefault();
    button.disabled = true;
    said.hidden = true;
    try {
      const session = await post('/session', { key: input.value.trim() });
      done(session.key_name);
    } catch (error) {
      said.textContent = messageOf(error);
      said.hidden = false;
      input.select();
    } finally {
      button.disabled = false;
    }
  }

  return h(
    'form',
    { class: 'card', onsubmit },
    h('label', { for: 'key' }, 'API key'),
    input,
    said,
    button,
    h(
      'p',
      { class: 'soft', id: 'key-hint' },
      'API keys begin with ',
      h('code', null, 'wha_'),
      '. The administrator of webhookd can create one for you with ',
      h('code', null, 'webhookctl key create NAME'),
      '.',
    ),
  );
}

/**
 * @param {Element} main
 * @param {(keyName: string) => void} done
 */
export function signInPage(main, done) {
  const form = signInForm(done);
  document.title = 'Sign in · webhookd';
  show(main, h('div', { class: 'sign-in' }, h('h1', null, 'Sign in to webhookd'), form));
  form.querySelector('input')?.focus();
}

/**
 * Shows the form in a dialog and leaves the page behind it as it is. The dialog cannot be
 * cancelled: without a session nothing can be applied. `done` runs after signing in. `begun` gets a
 * function that closes the dialog with the name of a key. Resolves to that name.
 *
 * @param {() => void} done
 * @param {(close: (keyName: string) => void) => void} begun
 * @returns {Promise<string | undefined>}
 */
export const signInAgain = (done, begun) =>
  dialog({
    title: 'Sign in to webhookd',
    mayCancel: false,
    body: (close) => {
      begun(close);
      return h(
        'div',
        { class: 'sign-in' },
        h('p', null, 'Your session has ended. The text that you entered is kept.'),
        signInForm((keyName) => {
          done();
          close(keyName);
        }),
      );
    },
  });
