// A fleet: its runs, its webhook, its definition.
import { get, post, upload } from './api.js';
import { definition } from './definition.js';
import { h, show } from './dom.js';
import { go } from './navigate.js';
import { runList } from './runs.js';
import { triggers } from './triggers.js';
import { actionButton, crumbs, dialog, empty, link, tabs } from './widgets.js';

/** Asks for a body, starts a run with it and opens that. */
async function runWithBody(fleet) {
  const area = h(
    'textarea',
    { rows: 10, 'aria-label': 'Body', spellcheck: 'false', autofocus: true },
    '{\n  \n}',
  );
  const type = h('input', { value: 'application/json', 'aria-label': 'Content type' });
  const run = await dialog({
    title: `Run ${fleet.name} with a body`,
    body: () => [h('label', null, 'Content type ', type), area],
    buttons: [
      {
        label: 'Run now',
        class: 'main',
        act: () =>
          upload(
            `/fleets/${fleet.id}/fleetruns`,
            area.value,
            type.value || 'application/octet-stream',
          ),
      },
    ],
  });
  if (run) go(`/runs/${run.id}`);
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
        h('button', { type: 'button', onclick: () => runWithBody(fleet) }, 'with a body…'),
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
