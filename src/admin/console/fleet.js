// The page of a fleet: tabs for its runs, its webhook and its definition, and buttons that start a
// run.
import { get, orNull, post } from './api.js';
import { definition } from './definition.js';
import { h, show } from './dom.js';
import { go } from './navigate.js';
import { runWithBody } from './run_with_body.js';
import { runWithParameters } from './run_with_parameters.js';
import { runList } from './runs.js';
import { triggers } from './triggers.js';
import { actionButton, confirm, crumbs, link, named, tabs } from './widgets.js';

/** @import { Fleet, Page } from './types.d.ts' */

/** @param {Fleet} fleet */
async function runNow(fleet) {
  const isSure = await confirm(
    `Run ${fleet.name} now?`,
    `v${fleet.version} runs without a body.`,
    'Run now',
    'main',
  );
  if (!isSure) return;
  const run = await post(`/fleets/${fleet.id}/fleetruns`);
  go(`/runs/${run.id}`);
}

/** @param {Element} main */
function showNoFleet(main) {
  document.title = 'Fleet not found · webhookd';
  show(
    main,
    h('h1', null, 'Fleet not found'),
    h(
      'p',
      null,
      'It may have been deleted. ' +
        'Its runs and their output are kept until their retention time has passed.',
    ),
    link('/runs', h('span', { class: 'button' }, 'All fleet runs')),
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function fleetPage(main, page) {
  const [id, tab = 'logs'] = page.parts;
  const fleet = await orNull(get(`/fleets/${id}`));
  if (!page.isOpen()) return;
  if (!fleet) return showNoFleet(main);
  document.title = `${fleet.name} · webhookd`;
  const place = h('section', { class: 'card' }, '…');
  const askForBody = () => runWithBody(fleet);
  const buttons = h(
    'div',
    { class: 'row' },
    actionButton('Run now', () => runNow(fleet), { class: 'main' }),
    h('button', { type: 'button', onclick: askForBody }, 'Run with body…'),
    actionButton('Run with parameters…', () => runWithParameters(page, fleet)),
  );
  show(
    main,
    crumbs(link('/', 'Fleets'), named(`${fleet.org_name}/${fleet.project_name}`)),
    h('div', { class: 'row between' }, h('h1', null, fleet.name), buttons),
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
