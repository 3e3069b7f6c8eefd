// The first page for who is not signed in.
import { post } from './api.js';
import { h, show } from './dom.js';

export function signInPage(main, then, why = null) {
  const input = h('input', {
    id: 'key',
    name: 'key',
    type: 'password',
    autocomplete: 'current-password',
    spellcheck: 'false',
    required: true,
    'aria-describedby': 'key-hint',
  });
  const said = h('p', { role: 'alert', class: 'problem', hidden: true });
  const button = h('button', { class: 'main' }, 'Sign in');
  const form = h(
    'form',
    {
      class: 'card',
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        said.hidden = true;
        try {
          const session = await post('/session', { key: input.value.trim() });
          then(session.key_name);
        } catch (error) {
          said.textContent = error.message;
          said.hidden = false;
          input.select();
        } finally {
          button.disabled = false;
        }
      },
    },
    h('label', { for: 'key' }, 'API key'),
    input,
    said,
    button,
    h(
      'p',
      { class: 'soft', id: 'key-hint' },
      'It begins with ',
      h('code', null, 'wha_'),
      '. None yet? Whoever runs webhookd makes one with ',
      h('code', null, 'webhookctl key create NAME'),
      '.',
    ),
  );
  show(
    main,
    h(
      'div',
      { class: 'sign-in' },
      h('h1', null, 'Sign in to webhookd'),
      why && h('p', null, why),
      form,
    ),
  );
  input.focus();
}
