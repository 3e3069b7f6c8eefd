// The tab with the audit log, which lists who changed what. keys.js calls this.
import { get, messageOf } from './api.js';
import { h, keyed, say, show } from './dom.js';
import { fromAddress, toAddress } from './fields.js';
import { callerName, shortId, time } from './format.js';
import { credentialPath } from './references.js';
import { table } from './table.js';
import { actionButton, drawOptions, empty, link, named, none, select } from './widgets.js';

/** @import { AuditEntry, Column, Option, Page } from './types.d.ts' */
/** @typedef {ReturnType<typeof createFilters>} Filters */

const PAGE = 50;
const TYPING_MS = 300;
const DAY_MS = 24 * 3600000;

/** @type {Record<string, string>} */
const words = {
  'org.create': 'Created organization',
  'org.delete': 'Deleted organization',
  'project.create': 'Created project',
  'project.delete': 'Deleted project',
  'fleet.apply': 'Applied fleet',
  'fleet.delete': 'Deleted fleet',
  'webhook.create': 'Added webhook',
  'webhook.replace': 'Replaced webhook',
  'webhook.remove': 'Removed webhook',
  'webhook.show': 'Viewed webhook URL of',
  'webhook.list': 'Viewed all webhook URLs',
  'credential.set': 'Set credential',
  'credential.remove': 'Removed credential',
  'blueprint.apply': 'Applied blueprint',
  'blueprint.delete': 'Deleted blueprint',
  'run.start': 'Started fleet run',
  'run.stop': 'Stopped fleet run',
  'key.create': 'Created key',
  'key.revoke': 'Revoked key',
  'access.refuse': 'Was refused',
  'packages.refresh': 'Looked for new packages of',
  'packages.clean': 'Removed package environments:',
  backup: 'Created backup',
};

/* ---- filters ---- */

/** @type {Record<string, number | undefined>} */
const spans = { '1d': DAY_MS, '7d': 7 * DAY_MS, '30d': 30 * DAY_MS };

const createFilters = () => ({
  who: h('input', {
    type: 'search',
    size: 20,
    placeholder: 'Key or user',
    class: 'whole',
    'aria-label': 'Key or user',
    list: 'callers',
    spellcheck: 'false',
  }),
  action: select('Action', [
    ['', 'Any action'],
    ...Object.entries(words).map(
      ([action, text]) => /** @type {Option} */ ([action, text.replace(/ of$/, '')]),
    ),
  ]),
  fleet: select('Fleet', [['', 'Any fleet']]),
  since: select('Since', [
    ['', 'Any time'],
    ['1d', 'Last 24 hours'],
    ['7d', 'Last 7 days'],
    ['30d', 'Last 30 days'],
  ]),
});

/**
 * Offers all fleets, and the one in the address, which may have been deleted.
 *
 * @param {HTMLSelectElement} field
 */
async function offerFleets(field) {
  const { fleets } = await get('/fleets');
  const options = fleets.map(({ id, name }) => /** @type {Option} */ ([id, name]));
  const wanted = new URLSearchParams(location.search).get('fleet');
  const isUnknown = wanted && !fleets.some(({ id }) => id === wanted);
  drawOptions(field, [
    ['', 'Any fleet'],
    ...options,
    ...(isUnknown ? [/** @type {Option} */ ([wanted, `Deleted fleet ${shortId(wanted)}`])] : []),
  ]);
}

/**
 * The API's parameters for a page of the log.
 *
 * @param {Filters} filters
 * @param {number | null} before
 */
function parametersFor({ who, action, fleet, since }, before) {
  const parameters = new URLSearchParams({ limit: String(PAGE) });
  const span = spans[since.value];
  if (before) parameters.set('before', String(before));
  if (who.value.trim()) parameters.set('who', who.value.trim());
  if (action.value) parameters.set('action', action.value);
  if (fleet.value) parameters.set('fleet', fleet.value);
  if (span) parameters.set('since', new Date(Date.now() - span).toISOString());
  return parameters;
}

/* ---- the list ---- */

/** @param {AuditEntry} entry */
function subject({ action, subject_id: id, subject: name }) {
  if (!name) return none();
  if (/^run\./.test(action)) return named(name, `/runs/${id}`);
  if (action === 'credential.set') return named(name, id ? credentialPath(id, name) : undefined);
  return named(name, /^(fleet\.apply|webhook\.)/.test(action) ? `/fleets/${id}` : undefined);
}

/**
 * The version that a change of a fleet created, as a link to what it changed.
 *
 * @param {AuditEntry} entry
 */
function versionOf({ fleet_id: id, version }) {
  if (!id || !version) return null;
  const against = version > 1 ? `&against=${version - 1}` : '';
  return link(`/fleets/${id}/definition?version=${version}${against}`, `v${version}`);
}

/** @param {AuditEntry} entry */
const actionOf = ({ action }) => words[action] ?? action;

/** @type {Column<AuditEntry>[]} */
const columns = [
  { title: 'When', cell: (entry) => time(entry.at) },
  { title: 'Who', class: 'name', cell: (entry) => named(callerName(entry.who)) },
  {
    title: 'From',
    class: 'name hide-narrow',
    cell: (entry) => named(entry.source ?? 'admin socket'),
  },
  { title: 'Action', class: 'action', cell: (entry) => [actionOf(entry), ' ', versionOf(entry)] },
  { title: 'Target', class: 'rest', cell: subject },
];

/** @param {boolean} isFiltered */
const nothing = (isFiltered) =>
  isFiltered
    ? empty('No matching changes', h('p', null, 'Change or remove some of the filters.'))
    : empty(
        'No changes yet',
        h('p', null, 'Every change will be listed here, with who made it and from where.'),
      );

/**
 * @param {Element} place
 * @param {Page} page
 */
export async function audit(place, page) {
  const filters = createFilters();
  const callers = h('datalist', { id: 'callers' });
  const list = table('Audit log', columns, (entry) => entry.number);
  const emptiness = h('div');
  const more = h('div', { class: 'row' });
  /** @type {AuditEntry[]} */
  let entries = [];
  /** @type {number | null} */
  let next = null;

  function draw() {
    const known = new Set(entries.map(({ who }) => callerName(who)));
    const isFiltered = Object.values(filters).some((field) => field.value);
    keyed(
      callers,
      [...known],
      (name) => name,
      (name) => h('option', { value: name }),
      () => {},
    );
    list.draw(entries);
    list.element.hidden = entries.length === 0;
    show(emptiness, entries.length === 0 && nothing(isFiltered));
    show(more, next !== null && older);
  }

  let asked = 0;
  /**
   * Reads the first page, or the next one.
   *
   * @param {number | null} before
   */
  async function load(before) {
    const mine = ++asked;
    const found = await get(`/audit?${parametersFor(filters, before)}`);
    if (!page.isOpen() || mine !== asked) return;
    entries = before ? entries.concat(found.entries) : found.entries;
    next = found.next_before;
    draw();
  }

  const older = actionButton('Show older', () => load(next));
  function reload() {
    toAddress(filters);
    load(null).catch((error) => say(messageOf(error), 'error'));
  }
  for (const field of [filters.action, filters.fleet, filters.since])
    field.addEventListener('change', reload);
  let typing = 0;
  filters.who.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(reload, TYPING_MS);
  });
  page.onLeave(() => clearTimeout(typing));

  await offerFleets(filters.fleet);
  fromAddress(filters);
  await load(null);
  show(
    place,
    h('div', { class: 'row filters' }, Object.values(filters), callers),
    list.element,
    emptiness,
    h('p'),
    more,
  );
}
