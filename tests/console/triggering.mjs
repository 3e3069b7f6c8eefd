// Checks of the dialog that starts a run with overrides.
import {
  answerDialog,
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  folder,
  look,
  page,
} from './tools.mjs';

const CANARY = 'canary-parameter-7d1';

/** A fleet with two vessels, of which the first has the variables STAGE and LEVEL. */
const stepsFleet = (name) =>
  applyFleet(
    `name: ${name}\nvessels:\n${bashVessel('first', 'echo "<$STAGE>"')}` +
      `      environment: { STAGE: test, LEVEL: low }\n` +
      `${bashVessel('second', 'echo done')}connections: { first: { second: SUCCESS } }\n`,
  );

const open = async (fleet) => {
  await page.goto(`${base}/fleets/${fleet.id}`);
  await page.click('button:text-is("Run with parameters…")');
  await page.waitForSelector('dialog textarea:focus');
};
const text = () => page.inputValue('dialog textarea');
const closed = () => page.waitForSelector('dialog', { state: 'detached' });
const runsOf = async (fleet) => (await api('GET', `/fleets/${fleet.id}/fleetruns`)).fleetruns;

/** The dialog begins with all vessels and their variables, and what it starts is the run shown. */
export async function parametersStartARun() {
  const fleet = await stepsFleet('Parameters');
  await open(fleet);
  const template = {
    vessel_overrides: [
      { name: 'first', environment_variable_overrides: { LEVEL: null, STAGE: null } },
      { name: 'second', environment_variable_overrides: {} },
    ],
  };
  const begun = JSON.parse(await text());
  const variables = begun.vessel_overrides[0].environment_variable_overrides;
  assert(Object.keys(variables).sort().join() === 'LEVEL,STAGE', await text());
  assert(
    Object.values(variables).every((value) => value === null),
    await text(),
  );
  assert(begun.vessel_overrides[1].name === 'second', await text());
  await look('run-with-parameters');
  await page.setViewportSize({ width: 320, height: 800 });
  await page.screenshot({ path: `${folder}/run-with-parameters-320.png` });
  const isWider = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1,
  );
  assert(!isWider, 'the page is wider than 320 px');
  await page.setViewportSize({ width: 1200, height: 800 });
  template.vessel_overrides[0].environment_variable_overrides.STAGE = CANARY;
  await page.fill('dialog textarea', JSON.stringify(template, null, 2));
  await answerDialog('Run now');
  await page.waitForSelector('.facts .status.success');
  const [run] = await runsOf(fleet);
  const { overrides, vessels } = await api('GET', `/fleetruns/${run.id}`);
  assert(run.trigger === 'api' && overrides[0].variables.join() === 'STAGE', 'other overrides');
  assert(page.url().endsWith(run.id), `${page.url()} is not the page of the run`);
  await page.goto(`${base}/runs/${run.id}/vessels/${vessels[0].id}`);
  await page.waitForSelector(`.line:has-text("<${CANARY}>")`);
}

/** The inputs of a blueprint are variables, also those that the fleet file does not give. */
export async function parametersOfABlueprint() {
  const [org] = (await api('GET', '/orgs')).orgs;
  const source = `source: { type: CODE, language: BASH,
  file: { name: a.sh, content: 'echo "<$WHO $LOUD>"' } }\n`;
  const inputs = (more) =>
    `inputs:\n  WHO: { name: Who, type: ALPHANUMERIC, required: true }\n${more}`;
  const loud = '  LOUD: { name: Loud, type: BOOLEAN, default: false }\n';
  for (const more of [loud, ''])
    await api(
      'PUT',
      `/orgs/${org.id}/blueprints`,
      `name: Greet\nsynopsis: Greets someone.\n${inputs(more)}${source}`,
    );
  const vessel = (name, version) =>
    `  ${name}:\n    source:\n      type: BLUEPRINT\n      blueprint: Greet\n${version}` +
    '      inputs: { WHO: you }\n';
  const pinned = '      blueprint_version: 1\n';
  const fleet = await applyFleet(
    `name: Greeting\nvessels:\n${vessel('newest', '')}${vessel('pinned', pinned)}` +
      'connections: { newest: { pinned: SUCCESS } }\n',
  );
  await open(fleet);
  const overrides = JSON.parse(await text()).vessel_overrides;
  const names = overrides.map((one) => Object.keys(one.environment_variable_overrides).join());
  assert(names.join(' ') === 'WHO WHO,LOUD', `the variables are ${names.join(' ')}`);
  await answerDialog('Cancel');
  await closed();
}

/** The text that was typed is gone with the dialog. */
export async function parametersAreNotKept() {
  const fleet = await stepsFleet('Forgets');
  await open(fleet);
  const before = await text();
  await page.fill('dialog textarea', `{"vessel_overrides":[] } ${CANARY}`);
  const asks = () =>
    page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
  assert(await asks(), 'the browser does not ask before it discards the text');
  const area = await page.$('dialog textarea');
  await page.keyboard.press('Escape');
  await closed();
  assert((await area.evaluate((one) => one.value)) === '', 'the text area still has the text');
  assert(!(await asks()), 'the discarded text counts as unsaved');
  await page.click('button:text-is("Run with parameters…")');
  await page.waitForSelector('dialog textarea:focus');
  assert((await text()) === before, 'the text was kept');
  await answerDialog('Cancel');
  await closed();
  assert((await runsOf(fleet)).length === 0, 'a run was started');
}

/** Errors stand at their lines; text that is not JSON is not sent. */
export async function faultsOfParameters() {
  const fleet = await stepsFleet('Faults');
  await open(fleet);
  await page.fill('dialog textarea', '{ "vessel_overrides": [\n  half\n] }');
  await answerDialog('Run now');
  await page.waitForSelector(
    'dialog [role=alert]:has-text("The text is not JSON: line 2, column 3: expected a value")',
  );
  await page.fill(
    'dialog textarea',
    '{ "vessel_overrides": [\n  { "name": "none" },\n  { "name": "first",\n' +
      `    "environment_variable_overrides": {\n      "LD_PRELOAD": "${CANARY}" } }\n] }`,
  );
  await answerDialog('Run now');
  await page.waitForSelector('dialog .problem:has-text("2 errors; no fleet run was started.")');
  const bad = await page.$$eval('dialog .numbers .bad', (all) => all.map((one) => one.textContent));
  assert(bad.join() === '2,5', `lines ${bad} are marked`);
  await look('run-with-parameters-faults');
  await page.click('dialog .problem button >> nth=1');
  const chosen = await page.$eval('dialog textarea', (one) =>
    one.value.slice(one.selectionStart, one.selectionEnd),
  );
  assert(chosen.includes('LD_PRELOAD'), `the error leads to ${chosen}`);
  const line = await page.textContent('dialog .problem button >> nth=1');
  assert(line === 'line 5', `the error is at ${line}`);
  const said = await page.$$eval('dialog .problem', (all) => all.map((one) => one.textContent));
  assert(!said.join().includes(CANARY), 'an error has the value');
  assert((await runsOf(fleet)).length === 0, 'a run was started');
  await page.fill('dialog textarea', '');
  await answerDialog('Run now');
  await page.waitForSelector('.facts .status.success');
}

/** The line of what a path names, or of the nearest around it. */
export async function linesOfJson() {
  const json =
    '{ "other": "a, [b]: {\\" }",\n  "list": [\n    { "a": 1,\n      "b": [ 1,\n 2 ] },\n' +
    '    { "a": { "X": null,\n "Y.Z": -2.5e3 } }\n ],\n "a": true }';
  const cases = [
    ['', 1],
    ['other', 1],
    ['list', 2],
    ['list[0]', 3],
    ['list[0].b', 4],
    ['list[0].b[1]', 5],
    ['list[1].a', 6],
    ['list[1].a.X', 6],
    ['list[1].a.Q', 6],
    ['list[7].a', 2],
    ['a', 9],
  ];
  const found = await page.evaluate(
    async ([whole, paths]) => {
      const { jsonLine } = await import('/console/json_line.js');
      return paths.map((path) => jsonLine(whole, path));
    },
    [json, cases.map(([path]) => path)],
  );
  const wrong = cases.filter(([, line], i) => found[i] !== line);
  assert(wrong.length === 0, `jsonLine: ${JSON.stringify(wrong)} ${found}`);
}
