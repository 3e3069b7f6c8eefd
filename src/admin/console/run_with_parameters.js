// The dialog that starts a run with overrides for its vessels. What is typed goes to webhookd and
// nowhere else, and is gone when the dialog closes: values can be secrets.
import { ApiError, get, trigger } from './api.js';
import { h, show } from './dom.js';
import { editor, errorList } from './editor.js';
import { jsonFault } from './json_fault.js';
import { jsonLine } from './json_line.js';
import { go } from './navigate.js';
import { dialog } from './widgets.js';

/** @import { Child, Definition, Fleet, Id, Page, Problem } from './types.d.ts' */

const NOT_STARTED = 'no fleet run was started';

/**
 * The overrides that change nothing: all vessels, with their variables at null.
 *
 * @param {Definition} definition
 */
function template({ vessels }) {
  const overrides = vessels.map(({ name, environment = {} }) => ({
    name,
    environment_variable_overrides: Object.fromEntries(
      Object.keys(environment).map((variable) => [variable, null]),
    ),
  }));
  return JSON.stringify({ vessel_overrides: overrides }, null, 2);
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
  if (!page.isOpen()) return;
  const edit = editor(template(definition), { label: 'Overrides', autofocus: true });
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
