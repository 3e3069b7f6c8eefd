// What a fleet is: its graph, its file and their versions; editing it, and how a new one begins.
import { get, put, remove } from './api.js';
import { diffView } from './diff.js';
import { h, say, show } from './dom.js';
import { applyForm, editor } from './editor.js';
import { time } from './format.js';
import { graph } from './graph.js';
import { go } from './navigate.js';
import { actionButton, confirm, crumbs, drawOptions, link, select } from './widgets.js';

const said = {
  created: () => 'made',
  updated: (version) => `v${version} applied`,
  unchanged: () => 'it was like this already',
};

function whenApplied(applied) {
  say(`${applied.fleet.name}: ${said[applied.outcome](applied.version)}`);
  go(`/fleets/${applied.fleet.id}/definition`);
}

/** Who edits one fleet does not mean to change another, or to make one, because its name was changed. */
async function isThis({ would }, fleet) {
  if (would.outcome === 'created')
    return confirm(
      'This makes a new fleet',
      `There is no fleet of this name and _id yet. ${fleet.name} stays as it is.`,
      'Make a new fleet',
    );
  if (would.fleet_id === fleet.id) return true;
  return confirm(
    'This is the name of another fleet',
    `Applying this file makes v${would.version} of that one. ${fleet.name} stays as it is.`,
    `Make v${would.version} of it`,
  );
}

export async function definition(place, page, fleet) {
  const { versions } = await get(`/fleets/${fleet.id}/versions`);
  const body = h('div'),
    picture = h('div', { class: 'table' }),
    about = h('span', { class: 'soft' });
  const newest = versions[0].version;
  const options = versions.map(({ version: number }) => [
    String(number),
    number === newest ? `v${number} (current)` : `v${number}`,
  ]);
  const choose = select('Version', options);
  const against = select('Compare with', []);
  const comparing = h('label', { hidden: versions.length < 2 }, 'compared with ', against);
  /** With any but itself. */
  const offerOthers = () =>
    drawOptions(against, [
      ['', 'nothing'],
      ...options.filter(([number]) => number !== choose.value),
    ]);
  const back = h('span');
  const load = (number) => get(`/fleets/${fleet.id}/versions/${number}`);
  let version,
    opening = 0;

  function drawFile() {
    show(
      body,
      version.file === null
        ? h('p', { class: 'soft' }, 'This file is no text.')
        : editor(version.file, { readOnly: true }).element,
    );
  }

  async function open() {
    offerOthers();
    const mine = ++opening,
      wanted = choose.value,
      wantedOther = against.value;
    const isOld = () => mine !== opening || !page.isOpen();
    const loaded = await load(wanted);
    const other = wantedOther && wantedOther !== wanted ? await load(wantedOther) : null;
    if (isOld()) return;
    version = loaded;
    show(about, 'applied ', time(version.created_at));
    show(picture, graph(version.definition));
    if (other) {
      const [older, newer] = other.version < version.version ? [other, version] : [version, other];
      show(
        body,
        h('p', { class: 'soft' }, `From v${older.version} to v${newer.version}`),
        diffView(older.file ?? '', newer.file ?? ''),
      );
    } else drawFile();
    show(
      back,
      version.version !== newest &&
        version.file !== null &&
        actionButton(`Go back to v${version.version}`, async () => {
          if (
            await confirm(
              `Go back to v${version.version}?`,
              `Its file is applied again, as a new version. Runs that have begun go on as they are.`,
              'Go back',
            )
          )
            whenApplied(
              await put(`/projects/${fleet.project_id}/fleets`, version.file, 'application/yaml'),
            );
        }),
    );
  }

  function edit() {
    const cancel = h(
      'button',
      {
        type: 'button',
        onclick: async () => {
          if (
            form.edit.text === (version.file ?? '') ||
            (await confirm(
              'Throw it away?',
              'What you have written here is lost then.',
              'Throw away',
            ))
          )
            draw();
        },
      },
      'Cancel',
    );
    const form = applyForm(version.file ?? '', () => fleet.project_id, whenApplied, {
      mayApply: (checked) => isThis(checked, fleet),
      more: cancel,
    });
    show(place, picture, h('h2', null, `A new version, from v${version.version}`), form.element);
    form.edit.focus();
  }

  function draw() {
    show(
      place,
      picture,
      h('p'),
      h(
        'div',
        { class: 'row between' },
        h('div', { class: 'row' }, choose, about, comparing, back),
        h(
          'div',
          { class: 'row' },
          h('button', { type: 'button', onclick: edit }, 'Edit'),
          actionButton(
            'Delete fleet',
            async () => {
              const { running, waiting } = await get(`/fleets/${fleet.id}`);
              if (running + waiting > 0)
                return say(
                  `${fleet.name} cannot be deleted yet: ${running} of its runs run, and ${waiting} wait. Stop them, or wait for them.`,
                  'error',
                );
              if (
                !(await confirm(
                  `Delete ${fleet.name}?`,
                  'Its webhook ends at once. Its runs and their output are kept for as long as those of other fleets.',
                  'Delete',
                ))
              )
                return;
              await remove(`/fleets/${fleet.id}`);
              say(`${fleet.name} is deleted`);
              go('/');
            },
            { class: 'danger' },
          ),
        ),
      ),
      h('p'),
      body,
    );
  }

  const change = () => open().catch((error) => say(error.message, 'error'));
  choose.addEventListener('change', change);
  against.addEventListener('change', change);
  await open();
  if (page.isOpen()) draw();
}

const example = `name: My fleet
vessels:
  hello: # any name; a fleet has as many vessels as it needs
    source:
      type: CODE
      language: BASH # or PYTHON, NODE
      file_to_run: hello.sh
      file:
        name: hello.sh
        content: |
          echo "Hello from $SHIPYARD_FLEET_NAME"
          if [ -f "$SHIPYARD_WEBHOOK_BODY_FILE" ]; then cat "$SHIPYARD_WEBHOOK_BODY_FILE"; fi
# connections: { hello: { next: SUCCESS } } would run a vessel "next" once hello has succeeded
`;

async function projects() {
  const { orgs } = await get('/orgs');
  const lists = await Promise.all(orgs.map((org) => get(`/orgs/${org.id}/projects`)));
  return lists.flatMap((list) => list.projects);
}

/** Who means to make a fleet does not mean to change one that happens to have the same name. */
async function isNew({ would }) {
  if (would.outcome !== 'updated') return true;
  return confirm(
    'There is a fleet of this name already',
    `Applying this file makes v${would.version} of it. For a fleet of its own, give it another name.`,
    `Make v${would.version}`,
  );
}

export async function newFleetPage(main, page) {
  document.title = 'New fleet · webhookd';
  const all = await projects();
  if (!page.isOpen()) return;
  const project = h(
    'select',
    { id: 'project' },
    all.map((one) => h('option', { value: one.id }, `${one.org_name}/${one.name}`)),
  );
  const usual = all.find((one) => one.org_name === 'default' && one.name === 'default');
  if (usual) project.value = usual.id;
  const form = applyForm(
    example,
    () => project.value,
    (applied) => {
      say(`${applied.fleet.name}: ${said[applied.outcome](applied.version)}`);
      go(`/fleets/${applied.fleet.id}/triggers`);
    },
    { mayApply: isNew },
  );
  const file = h('input', { type: 'file', id: 'file', accept: '.yaml,.yml,.json' });
  file.addEventListener('change', async () => {
    if (file.files[0]) form.edit.text = await file.files[0].text();
  });
  show(
    main,
    crumbs(link('/', 'Fleets')),
    h('h1', null, 'New fleet'),
    h(
      'section',
      { class: 'card' },
      h(
        'p',
        { class: 'soft' },
        'A fleet is one vessel or more, each a script, and what comes after what. Each run finds the request’s body in the file ',
        h('code', null, '$SHIPYARD_WEBHOOK_BODY_FILE'),
        ' and its headers in ',
        h('code', null, '$SHIPYARD_WEBHOOK_HEADERS_FILE'),
        '. The manual page webhookd-fleet(5) has every key.',
      ),
      h(
        'div',
        { class: 'row' },
        h('label', { for: 'project' }, 'Project'),
        project,
        h('label', { for: 'file' }, 'From a file'),
        file,
      ),
      h('p'),
      form.element,
    ),
  );
  form.edit.focus();
}
