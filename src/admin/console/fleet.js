// The page of a fleet: tabs for its runs, its webhook and its definition, and buttons that start a
// run.
import { get, messageOf, orNull, post, startRun } from './api.js';
import { definition } from './definition.js';
import { h, say, show } from './dom.js';
import { go } from './navigate.js';
import { runList } from './runs.js';
import { triggers } from './triggers.js';
import { actionButton, confirm, crumbs, dialog, link, named, tabs } from './widgets.js';

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

/** @typedef {{body: string, type: string}} Draft what was typed into the dialog for a body */

/** @type {Draft} */
const NO_DRAFT = { body: '{\n  \n}', type: 'application/json' };

/**
 * The bodies that were typed and not sent, by fleet id.
 *
 * @type {Map<string, Draft>}
 */
const drafts = new Map();

/**
 * Throws if the content type says that the body is JSON, and it is not.
 *
 * @param {Draft} draft
 */
function checkJson({ body, type }) {
  if (!/^[^;]*[/+]json *(;|$)/i.test(type.trim())) return;
  try {
    JSON.parse(body);
  } catch (error) {
    throw new Error(
      `The body is not JSON: ${messageOf(error)}. Correct it, or change the content type.`,
      { cause: error },
    );
  }
}

/**
 * Asks for a body, starts a run with it and opens the run.
 *
 * @param {Fleet} fleet
 */
async function runWithBody(fleet) {
  const before = drafts.get(fleet.id) ?? NO_DRAFT;
  const area = h(
    'textarea',
    { rows: 10, 'aria-label': 'Body', spellcheck: 'false', autofocus: true },
    before.body,
  );
  const type = h('input', { value: before.type, 'aria-label': 'Content type' });
  const draft = () => ({ body: area.value, type: type.value });
  async function act() {
    checkJson(draft());
    return startRun(fleet.id, area.value, type.value || 'application/octet-stream');
  }
  const run = await dialog({
    title: `Run ${fleet.name} with a body`,
    body: () => [
      h('label', null, 'Content type ', type),
      area,
      h('p', { class: 'soft' }, 'The content type becomes the run’s only header.'),
    ],
    buttons: [{ label: 'Run now', class: 'main', act }],
  });
  const { body } = draft();
  if (run) {
    drafts.delete(fleet.id);
    go(`/runs/${run.id}`);
  } else if (body !== before.body || type.value !== before.type) {
    drafts.set(fleet.id, draft());
    say('The text is kept: “Run with body…” shows it again');
  }
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
