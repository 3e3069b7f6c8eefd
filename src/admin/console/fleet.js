// A fleet: its runs, its webhook, its definition.
import { get, post, upload } from './api.js';
import { definition } from './definition.js';
import { h, show } from './dom.js';
import { go } from './navigate.js';
import { runList } from './runs.js';
import { triggers } from './triggers.js';
import { actionButton, crumbs, empty, link, tabs } from './widgets.js';

/** With a body, or without. */
function askForBody(fleet) {
  const area = h('textarea', { rows: 10, 'aria-label': 'Body', spellcheck: 'false' }, '{\n  \n}');
  const type = h('input', { value: 'application/json', 'aria-label': 'Content type' });
  const said = h('p', { class: 'problem', role: 'alert', hidden: true });
  const dialog = h(
    'dialog',
    { class: 'ask', 'aria-label': `Run ${fleet.name} with a body` },
    h('h2', null, `Run ${fleet.name} with a body`),
    h('label', null, 'Content type ', type),
    area,
    said,
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      h(
        'button',
        {
          type: 'button',
          class: 'main',
          onclick: async () => {
            try {
              const run = await upload(
                `/fleets/${fleet.id}/fleetruns`,
                area.value,
                type.value || 'application/octet-stream',
              );
              dialog.close();
              go(`/runs/${run.id}`);
            } catch (error) {
              said.textContent = error.message;
              said.hidden = false;
            }
          },
        },
        'Run now',
      ),
    ),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  area.focus();
}

export async function fleetPage(main, page) {
  const [id, tab = 'logs'] = page.parts;
  const fleet = await get(`/fleets/${id}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (!page.isOpen()) return;
  if (!fleet) {
    document.title = 'No such fleet · webhookd';
    return show(
      main,
      empty(
        'There is no such fleet',
        h('p', null, 'It may have been deleted: its runs are kept until they are old enough.'),
        link('/runs', h('span', { class: 'button' }, 'All runs')),
      ),
    );
  }
  document.title = `${fleet.name} · webhookd`;
  const place = h('section', { class: 'card' }, '…');
  show(
    main,
    crumbs(link('/', 'Fleets'), h('span', null, `${fleet.org_name}/${fleet.project_name}`)),
    h(
      'div',
      { class: 'row between' },
      h('h1', null, fleet.name),
      h(
        'div',
        { class: 'row' },
        actionButton(
          'Run now',
          async () => {
            const run = await post(`/fleets/${id}/fleetruns`);
            go(`/runs/${run.id}`);
          },
          { class: 'main' },
        ),
        h('button', { type: 'button', onclick: () => askForBody(fleet) }, 'with a body…'),
      ),
    ),
    tabs(
      [
        ['logs', `/fleets/${id}`, 'Logs'],
        ['triggers', `/fleets/${id}/triggers`, 'Triggers'],
        ['definition', `/fleets/${id}/definition`, 'Definition'],
      ],
      tab,
    ),
    place,
  );
  if (tab === 'triggers') await triggers(place, page, fleet);
  else if (tab === 'definition') await definition(place, page, fleet);
  else await runList(place, page, id);
}
