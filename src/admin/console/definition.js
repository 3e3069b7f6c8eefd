// The Definition tab of a fleet: its graph, all versions of its file, and buttons to edit and
// delete the fleet.
import { get, messageOf, put, remove } from './api.js';
import { diffView } from './diff.js';
import { h, say, show } from './dom.js';
import { applyForm, editor, sayApplied } from './editor.js';
import { fromAddress, toAddress } from './fields.js';
import { time } from './format.js';
import { graph } from './graph.js';
import { go } from './navigate.js';
import { panZoom } from './pan_zoom.js';
import { credentialLinks } from './references.js';
import { actionButton, confirm, drawOptions, select } from './widgets.js';

/** @import { Applied, Fleet, Option, Page, Version, WouldApply } from './types.d.ts' */

/** @param {Applied} applied */
function whenApplied(applied) {
  sayApplied(applied);
  go(`/fleets/${applied.fleet.id}/definition`);
}

/**
 * Whether the file may be applied. Asks before a changed name or _id changes another fleet or
 * creates one.
 *
 * @param {WouldApply} would
 * @param {Fleet} fleet
 */
async function isThis(would, fleet) {
  if (would.outcome === 'created') {
    return confirm(
      'Create a new fleet?',
      'No fleet has the name or _id in this file. Applying it creates a new fleet; ' +
        `${fleet.name} stays unchanged.`,
      'Create fleet',
    );
  }
  if (would.fleet_id === fleet.id) return true;
  const { name } = await get(`/fleets/${would.fleet_id}`);
  const title = `This file belongs to the fleet “${name}”`;
  if (would.outcome === 'unchanged')
    return confirm(
      title,
      `${name} already has this definition; ${fleet.name} stays unchanged.`,
      'Apply',
    );
  return confirm(
    title,
    `Applying it creates v${would.version} of ${name}; ${fleet.name} stays unchanged.`,
    `Create v${would.version}`,
  );
}

/** @param {Fleet} fleet */
async function deleteFleet(fleet) {
  const { running, waiting } = await get(`/fleets/${fleet.id}`);
  if (running + waiting > 0) {
    return say(
      `${fleet.name} cannot be deleted while it has active fleet runs ` +
        `(${running} running, ${waiting} scheduled). Stop them or wait until they end.`,
      'error',
    );
  }
  const isSure = await confirm(
    `Delete ${fleet.name}?`,
    'Its webhook stops working immediately. ' +
      'Its runs and their output are kept until their retention time has passed.',
    'Delete',
  );
  if (!isSure) return;
  await remove(`/fleets/${fleet.id}`);
  say(`${fleet.name} was deleted`);
  go('/');
}

/**
 * Applies the file of an older version again.
 *
 * @param {Fleet} fleet
 * @param {number} version
 * @param {string} file
 */
async function goBack(fleet, version, file) {
  const isSure = await confirm(
    `Go back to v${version}?`,
    'Its file is applied again as a new version, with the hidden values that it had. ' +
      'Existing fleet runs keep their version.',
    'Go back',
  );
  if (!isSure) return;
  const { id, project_id: project } = fleet;
  const path = /** @type {const} */ (
    `/projects/${project}/fleets?from_fleet=${id}&from_version=${version}`
  );
  whenApplied(await put(path, file, 'application/yaml'));
}

/**
 * The changes between two versions, from the older one to the newer one.
 *
 * @param {Version} one
 * @param {Version} other
 */
function comparison(one, other) {
  const [older, newer] = one.version < other.version ? [one, other] : [other, one];
  return [
    h('p', { class: 'soft' }, `Changes from v${older.version} to v${newer.version}`),
    diffView(older.file ?? '', newer.file ?? ''),
  ];
}

/** @param {Version} version */
const fileOf = ({ file }) =>
  file === null
    ? h('p', { class: 'soft' }, 'This file cannot be shown: it is not text.')
    : editor(file, { readOnly: true }).element;

/**
 * @param {Element} place
 * @param {Page} page
 * @param {Fleet} fleet
 */
export async function definition(place, page, fleet) {
  const { versions } = await get(`/fleets/${fleet.id}/versions`);
  const newest = versions[0].version;
  const options = versions.map(({ version: number }) => {
    const name = number === newest ? `v${number} (current)` : `v${number}`;
    return /** @type {Option} */ ([String(number), name]);
  });
  const body = h('div');
  const picture = h('div');
  const about = h('span', { class: 'soft' });
  const back = h('span');
  const uses = h('p', { class: 'soft uses' });
  const choose = select('Version', options);
  const against = select('Compare with', []);
  const comparing = h('label', { hidden: versions.length < 2 }, 'Compare with ', against);
  const chosen = { version: choose, against };
  const load = (/** @type {string} */ number) => get(`/fleets/${fleet.id}/versions/${number}`);
  /** @type {Version} */
  let version;
  let opening = 0;
  let endPicture = () => {};
  page.onLeave(() => endPicture());

  function draw() {
    const { version: number, file } = version;
    const drawing = panZoom(graph(version.definition));
    endPicture();
    endPicture = drawing.end;
    show(about, 'applied ', time(version.created_at));
    show(picture, drawing.element);
    show(uses, credentialLinks('Refers to ', fleet.org_id, version.definition.vessels));
    show(
      back,
      number !== newest &&
        file !== null &&
        actionButton(`Go back to v${number}`, () => goBack(fleet, number, file)),
    );
  }

  /** Offers every version for comparison except the chosen one. */
  function offerOthers() {
    const others = options.filter(([number]) => number !== choose.value);
    drawOptions(against, [['', 'nothing'], ...others]);
  }

  async function open() {
    const mine = ++opening;
    const wanted = against.value;
    const opened = await load(choose.value);
    const other = wanted ? await load(wanted) : null;
    if (mine !== opening || !page.isOpen()) return;
    version = opened;
    draw();
    show(body, other ? comparison(version, other) : fileOf(version));
  }

  function edit() {
    const file = version.file ?? '';
    const cancel = actionButton('Cancel', async () => {
      const isSame = form.edit.text === file;
      const lost = 'Your changes to this file will be lost.';
      if (isSame || (await confirm('Discard changes?', lost, 'Discard'))) showAll();
    });
    const form = applyForm(file, () => fleet.project_id, whenApplied, {
      mayApply: (would) => isThis(would, fleet),
      more: cancel,
    });
    show(place, picture, h('h2', null, `New version, based on v${version.version}`), form.element);
    form.edit.focus();
  }

  const editButton = h('button', { type: 'button', onclick: edit }, 'Edit');
  const deleteButton = actionButton('Delete fleet', () => deleteFleet(fleet), { class: 'danger' });
  const controls = h(
    'div',
    { class: 'row between' },
    h('div', { class: 'row' }, choose, about, comparing, back),
    h('div', { class: 'row' }, editButton, deleteButton),
  );
  const showAll = () => show(place, picture, h('p'), controls, uses, body);

  function reopen() {
    offerOthers();
    toAddress(chosen);
    open().catch((error) => say(messageOf(error), 'error'));
  }
  choose.addEventListener('change', reopen);
  against.addEventListener('change', reopen);
  // The versions in the address are those of a link, such as in the audit log.
  fromAddress({ version: choose });
  if (!choose.value) choose.value = String(newest);
  offerOthers();
  fromAddress({ against });
  await open();
  if (page.isOpen()) showAll();
}
