// The dialog that starts a run with overrides for its vessels. What is typed goes to webhookd and
// nowhere else, and is gone when the dialog closes: values can be secrets.
import { ApiError, get, orNull, trigger } from './api.js';
import { h, show } from './dom.js';
import { editor, errorList } from './editor.js';
import { jsonFault } from './json_fault.js';
import { jsonLine } from './json_line.js';
import { go } from './navigate.js';
import { dialog } from './widgets.js';

/** @import { Child, Definition, Fleet, Id, Page, Problem, VesselDefinition } from './types.d.ts' */

const NOT_STARTED = 'no fleet run was started';

/**
 * The inputs of a vessel's blueprint. None if it has none, or if the blueprint is gone.
 *
 * @param {VesselDefinition} vessel
 */
async function inputsOf({ blueprint_id: id, blueprint_version: version }) {
  if (!id) return [];
  const blueprint = version
    ? get(`/blueprints/${id}/versions/${version}`).then(({ definition }) => definition)
    : get(`/blueprints/${id}`);
  return (await orNull(blueprint))?.inputs ?? [];
}

/**
 * The overrides that change nothing: all vessels, with their variables at null.
 *
 * @param {Definition} definition
 */
async function template({ vessels }) {
  const overrides = vessels.map(async (vessel) => {
    const inputs = (await inputsOf(vessel)).map((input) => input.reference_name);
    const variables = [...Object.keys(vessel.environment ?? {}), ...inputs];
    return {
      name: vessel.name,
      environment_variable_overrides: Object.fromEntries(variables.map((name) => [name, null])),
    };
  });
  return JSON.stringify({ vessel_overrides: await Promise.all(overrides) }, null, 2);
}

/**
 * Starts the run. Errors are shown at their lines, which say more than their paths.
 *
 * @param {Id} fleetId
 * @param {ReturnType<typeof editor>} edit
 * @param {Element} said
 */
async function start(fleetId, edit, said) {
  const text = edit.text;
  const fault = text.trim() && jsonFault(text);
  show(said);
  edit.mark([]);
  if (fault) throw new Error(`The text is not JSON: ${fault}.`);
  try {
    return (await trigger(fleetId, text)).fleet_run_id;
  } catch (error) {
    if (!(error instanceof ApiError) || error.errors.length === 0) throw error;
    const errors = error.errors.map(
      (one) => /** @type {Problem} */ ({ ...one, path: '', line: jsonLine(text, one.path) }),
    );
    edit.mark(errors);
    show(
      said,
      errorList(errors, NOT_STARTED, (line) => edit.goTo(line)),
    );
    throw new Error('Correct what is marked above.', { cause: error });
  }
}

/**
 * Asks for overrides, starts a run with them and opens the run.
 *
 * @param {Page} page
 * @param {Fleet} fleet
 */
export async function runWithParameters(page, fleet) {
  const { version } = await get(`/fleets/${fleet.id}`);
  const { definition } = await get(`/fleets/${fleet.id}/versions/${version}`);
  const begun = await template(definition);
  if (!page.isOpen()) return;
  const edit = editor(begun, { label: 'Overrides', autofocus: true });
  const said = h('div', { role: 'alert' });

  /** @type {(close: (id?: Id) => void) => Child} */
  function body(close) {
    page.onLeave(() => close());
    return [
      h(
        'p',
        { class: 'soft' },
        h('code', null, 'null'),
        ' keeps the value of the fleet file. ',
        h('code', null, '"SHIPYARD_OVERRIDE_STATUS": "SUCCESS"'),
        ' or ',
        h('code', null, '"ERROR"'),
        ' skips a vessel. Values are stored sealed; only their names are shown afterwards.',
      ),
      edit.element,
      said,
    ];
  }

  const act = () => start(fleet.id, edit, said);
  const run = await dialog({
    title: `Run ${fleet.name} with parameters`,
    body,
    buttons: [{ label: 'Run now', class: 'main', act }],
  });
  edit.text = '';
  if (run) go(`/runs/${run}`);
}
