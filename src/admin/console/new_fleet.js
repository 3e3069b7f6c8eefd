// The page that creates a fleet, from an example or from a file.
import { get } from './api.js';
import { h, show } from './dom.js';
import { applyForm, sayApplied } from './editor.js';
import { go } from './navigate.js';
import { confirm, crumbs, drawOptions, link } from './widgets.js';

/** @import { Option, Page, WouldApply } from './types.d.ts' */

const example = `name: My fleet
vessels:
  hello: # any name; a fleet can have several vessels
    source:
      type: CODE
      language: BASH # or PYTHON, NODE
      file_to_run: hello.sh
      file:
        name: hello.sh
        content: |
          echo "Hello from $SHIPYARD_FLEET_NAME"
          if [ -f "$SHIPYARD_WEBHOOK_BODY_FILE" ]; then cat "$SHIPYARD_WEBHOOK_BODY_FILE"; fi
# connections: { hello: { next: SUCCESS } } would run the vessel "next" after hello has succeeded
`;

const introduction = () =>
  h(
    'p',
    { class: 'soft' },
    'A fleet consists of vessels and the connections between them. Each vessel runs a script. ' +
      'The script finds the request’s body in the file ',
    h('code', null, '$SHIPYARD_WEBHOOK_BODY_FILE'),
    ' and the headers in ',
    h('code', null, '$SHIPYARD_WEBHOOK_HEADERS_FILE'),
    '. The manual page webhookd-fleet(5) describes every key of this file.',
  );

async function allProjects() {
  const { orgs } = await get('/orgs');
  const lists = await Promise.all(orgs.map((org) => get(`/orgs/${org.id}/projects`)));
  return lists.flatMap((list) => list.projects);
}

/**
 * Whether the file may be applied. Asks before it becomes a new version of an existing fleet.
 *
 * @param {WouldApply} would
 */
async function isNew(would) {
  if (would.outcome !== 'updated') return true;
  const { name } = await get(`/fleets/${would.fleet_id}`);
  return confirm(
    `There is already a fleet “${name}”`,
    `Applying this file creates v${would.version} of it. ` +
      'To create a separate fleet, use another name.',
    `Create v${would.version}`,
  );
}

/**
 * @param {Element} main
 * @param {Page} page
 */
export async function newFleetPage(main, page) {
  document.title = 'New fleet · webhookd';
  const projects = await allProjects();
  if (!page.isOpen()) return;
  const project = h('select', { id: 'project' });
  drawOptions(
    project,
    projects.map(({ id, org_name: org, name }) => /** @type {Option} */ ([id, `${org}/${name}`])),
  );
  const usual = projects.find((one) => one.org_name === 'default' && one.name === 'default');
  if (usual) project.value = usual.id;
  const form = applyForm(
    example,
    () => project.value,
    (applied) => {
      sayApplied(applied);
      go(`/fleets/${applied.fleet.id}/triggers`);
    },
    { mayApply: isNew },
  );
  const file = h('input', { type: 'file', id: 'file', accept: '.yaml,.yml,.json' });
  file.addEventListener('change', async () => {
    const chosen = file.files?.[0];
    if (chosen) form.edit.text = await chosen.text();
  });
  const controls = h(
    'div',
    { class: 'row' },
    h('label', { for: 'project' }, 'Project'),
    project,
    h('label', { for: 'file' }, 'Load from file'),
    file,
  );
  show(
    main,
    crumbs(link('/', 'Fleets')),
    h('h1', null, 'New fleet'),
    h('section', { class: 'card' }, introduction(), controls, h('p'), form.element),
  );
  form.edit.focus();
}
