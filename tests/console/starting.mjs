// Checks of the buttons that start runs: they start a real one, so they ask before.
import {
  answerDialog,
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  look,
  page,
  tab,
} from './tools.mjs';

/** Run now, Run again and Send test request start nothing before they are confirmed. */
export async function confirmedStarts() {
  const fleet = await applyFleet(`name: Asks\nvessels:\n${bashVessel('main', 'true')}`);
  const count = async () => (await api('GET', `/fleets/${fleet.id}/fleetruns`)).fleetruns.length;
  await api('POST', `/fleets/${fleet.id}/webhook`);
  let expected = 0;
  for (const [path, button, answer] of [
    [`/fleets/${fleet.id}`, 'Run now', 'Run now'],
    [null, 'Run again', 'Run again'],
    [`/fleets/${fleet.id}/triggers`, 'Send test request', 'Send'],
  ]) {
    if (path) await page.goto(base + path);
    const before = page.url();
    await page.click(`button:text-is("${button}"):not([aria-disabled])`);
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    assert((await count()) === expected, `${button} started a run without being confirmed`);
    await page.click(`button:text-is("${button}"):not([aria-disabled])`);
    await answerDialog(answer);
    await page.waitForFunction((old) => location.href !== old, before);
    await page.waitForSelector('.facts .status.success');
    expected++;
    assert((await count()) === expected, `${button} did not start one run`);
  }
}

const openBody = () => page.click('button:text-is("Run with body…")');

/** A body that is not JSON is not sent as JSON; closing the dialog keeps what was typed. */
export async function typedBody() {
  const fleet = await applyFleet(`name: Typed\nvessels:\n${bashVessel('main', 'true')}`);
  await page.goto(`${base}/fleets/${fleet.id}`);
  await openBody();
  await page.fill('dialog textarea', '{"half":');
  await page.click('dialog >> text=Add header');
  await page.keyboard.type('X-Kept');
  const asks = () =>
    page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
  assert(await asks(), 'the browser does not ask before it discards the text');
  await page.keyboard.press('Escape');
  await page.waitForSelector('text=The text is kept');
  await page.waitForSelector('dialog', { state: 'detached' });
  await openBody();
  const typed = await page.inputValue('dialog textarea');
  assert(typed === '{"half":', `after Escape the text is ${typed}`);
  const name = await page.inputValue('dialog [aria-label="Name"]');
  assert(name === 'X-Kept', `after Escape the name of the header is ${name}`);
  await answerDialog('Run now');
  await page.waitForSelector(
    'dialog [role=alert]:has-text("The body is not JSON: line 1, column 9: expected a value")',
  );
  const { fleetruns } = await api('GET', `/fleets/${fleet.id}/fleetruns`);
  assert(fleetruns.length === 0, 'a body that is not JSON was sent as JSON');
  await page.fill('dialog [aria-label="Content type"]', 'text/plain');
  await answerDialog('Run now');
  await page.waitForSelector('.gantt');
  await tab('Webhook parameters');
  await page.waitForSelector('.output:has-text("half")');
}

/** A fault of the JSON stands below it while it is typed, unless the content type is another. */
export async function checkedBody() {
  const fleet = await applyFleet(`name: Checked\nvessels:\n${bashVessel('main', 'true')}`);
  await page.goto(`${base}/fleets/${fleet.id}`);
  await openBody();
  const says = (text) => page.waitForSelector(`dialog [role=status]:text-is("${text}")`);
  const isRight = () => page.waitForSelector('dialog [role=status]:empty', { state: 'attached' });
  await page.fill('dialog textarea', '{\n  "a": 1,\n  b: 2\n}');
  await says('Not JSON: line 3, column 3: expected a name in double quotes');
  await page.waitForSelector('dialog textarea[aria-invalid=true]');
  await look('run-with-body-fault');
  await page.fill('dialog [aria-label="Content type"]', 'text/plain');
  await isRight();
  await page.fill('dialog [aria-label="Content type"]', 'application/cloudevents+json; a=b');
  await says('Not JSON: line 3, column 3: expected a name in double quotes');
  await page.fill('dialog textarea', '{"a": [1, {}]}');
  await isRight();
  await answerDialog('Cancel');
}

/** Checks the place at which a text stops being JSON. Text that JSON.parse accepts has no fault. */
export async function faultsOfJson() {
  const cases = [
    ['', 'line 1, column 1: expected a value'],
    ['{', 'line 1, column 2: expected a name in double quotes or “}”'],
    ['{"a" 1}', 'line 1, column 6: expected “:”'],
    ['{"a":1,}', 'line 1, column 8: expected a name in double quotes'],
    ['{"a":1]', 'line 1, column 7: expected “,” or the end of the list or object'],
    ['[1,]', 'line 1, column 4: expected a value'],
    ['[\n01]', 'line 2, column 2: expected “,” or the end of the list or object'],
    ['[]]', 'line 1, column 3: expected the end of the text'],
    ['tru', 'line 1, column 1: expected a value'],
    ['["é😀", x]', 'line 1, column 8: expected a value'],
    ["['a']", 'line 1, column 2: expected a value or “]”'],
    [
      '{"a": "b\n"}',
      'line 1, column 7: the text in quotes does not end, or has a line break or an unknown escape',
    ],
    ['{"a": [1, -2.5e+3, "\\u00e9\\n", true, null, {}], "b": {"c": []}} ', null],
    [' 1 ', null],
  ];
  const found = await page.evaluate(
    async (texts) => {
      const { jsonFault } = await import('/console/json_fault.js');
      return texts.map((text) => jsonFault(text));
    },
    cases.map(([text]) => text),
  );
  const wrong = cases.filter(([, expected], i) => found[i] !== expected);
  assert(wrong.length === 0, `jsonFault: ${JSON.stringify(wrong)} ${JSON.stringify(found)}`);
}

/** Headers that are typed are those of the run; one that is not allowed starts none. */
export async function typedHeaders() {
  const fleet = await applyFleet(`name: Headed\nvessels:\n${bashVessel('main', 'true')}`);
  await page.goto(`${base}/fleets/${fleet.id}`);
  await openBody();
  for (const words of [
    ['X-GitHub-Event', 'push'],
    ['Host', 'example.org'],
    ['x-a', ' naïve "€" '],
    ['X-A', '2'],
    ['', ''],
  ]) {
    await page.click('dialog >> text=Add header');
    await page.keyboard.type(words[0]);
    await page.keyboard.press('Tab');
    await page.keyboard.type(words[1]);
  }
  await look('run-with-headers');
  await answerDialog('Run now');
  await page.waitForSelector('dialog [role=alert]:has-text("must not contain Host")');
  await page.click('dialog [aria-label="Remove header"] >> nth=1');
  await answerDialog('Run now');
  await page.waitForSelector('.gantt');
  const run = page.url().split('/').pop();
  const headers = await api('GET', `/fleetruns/${run}/headers`);
  const expected = {
    'X-Github-Event': ['push'],
    'X-A': ['naïve "€"', '2'],
    'Content-Type': ['application/json'],
  };
  assert(JSON.stringify(headers) === JSON.stringify(expected), JSON.stringify(headers));
  assert((await api('GET', `/fleetruns/${run}`)).event === 'push', 'the run has no event');
}
