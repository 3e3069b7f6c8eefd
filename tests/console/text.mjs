// Checks of text that programs and strangers wrote: names, output, and how long runs took.
import { api, applyFleet, assert, base, bashVessel, page, untilRun } from './tools.mjs';

/** Characters that reorder text are shown by name, in text and in titles. */
export async function bidiControls() {
  const name = 'safe \u202egpj.exe';
  const fleet = await applyFleet(`name: ${name}\nvessels:\n${bashVessel('main', 'true')}`);
  assert(fleet.name === name, 'the API has changed the name');
  await page.goto(`${base}/`);
  const link = page.locator(`a[href="/fleets/${fleet.id}"]`);
  await link.waitFor();
  const [text, title] = [await link.textContent(), await link.getAttribute('title')];
  assert(text === 'safe ‹RLO›gpj.exe', `the name is shown as ${JSON.stringify(text)}`);
  assert(title === text, `the title is ${JSON.stringify(title)}`);
  await link.click();
  await page.waitForSelector('h1:text-is("safe ‹RLO›gpj.exe")');
}

/** SGR 9 strikes text out; OSC 8 makes a link, but only to http and https. */
export async function terminalText() {
  const osc = (address, text) => `\\033]8;;${address}\\033\\\\${text}\\033]8;;\\007`;
  const lines = [
    '\\033[9mold\\033[29m new\\n',
    `see ${osc('https://docs.example/a?b=1', 'the \\033[1mdocs')}\\033[0m here\\n`,
    `${osc('javascript:alert(1)', 'harmless')}\\n`,
    `${osc('file:///etc/passwd', 'local')} end\\n`,
  ];
  const script = lines.map((line) => `printf '${line}'`);
  const fleet = await applyFleet(`name: Terminal\nvessels:\n${bashVessel('main', ...script)}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  const run = await untilRun(id, 'success');
  await page.goto(`${base}/runs/${id}/vessels/${run.vessels[0].id}`);
  await page.waitForSelector('.said-line:text-is("local end")');
  const struck = await page
    .locator('.strike')
    .evaluateAll((all) =>
      all.map((one) => [one.textContent, getComputedStyle(one).textDecoration]),
    );
  assert(
    struck.length === 1 && struck[0][0] === 'old' && struck[0][1].includes('line-through'),
    `struck out: ${struck}`,
  );
  const links = await page
    .locator('.said-line a')
    .evaluateAll((all) =>
      all.map(({ href, rel, target, title }) => [href, rel, target, title].join(' ')),
    );
  const address = 'https://docs.example/a?b=1';
  const expected = `${address} noopener noreferrer _blank ${address}`;
  assert(
    links.length === 2 && links.every((one) => one === expected),
    `the links are ${links.join('; ')}`,
  );
  const shown = await page.locator('.said-line').allTextContents();
  assert(shown[1] === 'see the docs here', `the line is ${JSON.stringify(shown[1])}`);
  await page.waitForSelector('.said-line:text-is("harmless")');
  await page.fill('input[type=search]', 'the docs here');
  await page.waitForSelector('[role=status]:text-is("match 1 of 1")');
}

/** One long run leaves a difference between short ones. */
export async function barsKeepShape() {
  const fleet = await applyFleet(`name: Bars\nvessels:\n${bashVessel('main', 'true')}`);
  for (let i = 0; i < 3; i++) {
    const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
    await untilRun(id, 'success');
  }
  const lengths = [20, 2000, 3600000];
  const path = `**/api/v1/fleets/${fleet.id}/fleetruns?*`;
  const change = async (route) => {
    const answer = await route.fetch();
    const envelope = await answer.json();
    envelope.data.fleetruns.forEach((run, i) => {
      run.ended_at = new Date(Date.parse(run.started_at) + lengths[i]).toISOString();
    });
    await route.fulfill({ response: answer, json: envelope });
  };
  await page.route(path, change);
  await page.goto(`${base}/fleets/${fleet.id}`);
  await page.waitForSelector('.bars a');
  await page.waitForSelector('.caption:has-text("logarithmic scale")');
  const heights = await page
    .locator('.bars rect')
    .evaluateAll((all) => all.map((one) => Number(one.getAttribute('height'))));
  await page.unroute(path, change);
  const [long, middle, short] = heights;
  assert(
    long > middle + 5 && middle > short + 5 && short > 3,
    `the bars are ${heights.join(', ')} high`,
  );
}
