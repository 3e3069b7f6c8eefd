// Checks of where output is shown, and of how it opens.
import { api, applyFleet, assert, base, bashVessel, look, page, untilRun } from './tools.mjs';

const SKIPPED = 'Vessel has been skipped due to override.';

async function runOf(file, status) {
  const fleet = await applyFleet(file);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  return untilRun(id, status);
}

/** Whether a line with this text is within the visible part of the output. */
const inSight = (text) =>
  page.waitForFunction((wanted) => {
    const box = document.querySelector('.output')?.getBoundingClientRect();
    return [...document.querySelectorAll('.line')].some((line) => {
      const { top, bottom } = line.getBoundingClientRect();
      return (
        line.lastChild.textContent === wanted && top >= box.top - 1 && bottom <= box.bottom + 1
      );
    });
  }, text);

const isFollowing = () => page.locator('#follow').isChecked();

/** A run's page shows the output of its only vessel, or the end of the first one that failed. */
export async function outputOnRunPage() {
  const single = await runOf(
    `name: Single\nvessels:\n${bashVessel('main', 'seq -f "line %.0f." 1 300')}`,
    'success',
  );
  await page.goto(`${base}/runs/${single.id}`);
  await inSight('line 1.');
  assert(!(await isFollowing()), 'a run that has ended is followed');

  const file = `name: Failing
vessels:
${bashVessel('first', 'echo fine')}${bashVessel('second', 'seq -f "line %.0f." 1 300', 'exit 3')}
connections: { first: { second: SUCCESS } }
`;
  const failed = await runOf(file.replace('\n\n', '\n'), 'errored');
  await page.goto(`${base}/runs/${failed.id}`);
  await page.waitForSelector('h2:has-text("Output of second")');
  await inSight('line 300.');
  assert(!(await isFollowing()), 'a run that has ended is followed');
  await look('run-failed');

  await page.click('h2 >> a:text-is("second")');
  await page.waitForSelector('h1:text-is("second")');
  await inSight('line 1.');
  assert(!(await isFollowing()), 'a vessel that has ended is followed');
  await page.click('.siblings a[aria-label="first: success"]');
  await page.waitForSelector('h1:text-is("first")');
  await page.waitForSelector('.siblings a[aria-current=page]:has-text("first")');
  await page.waitForSelector('.line:has-text("fine")');
}

/** The address of a line leads to it, in finished and in live output. */
export async function lineLinks() {
  const run = await runOf(
    `name: Lines\nvessels:\n${bashVessel('main', 'seq -f "line %.0f." 1 9000')}`,
    'success',
  );
  const vessel = `${base}/runs/${run.id}/vessels/${run.vessels[0].id}`;
  await page.goto(`${vessel}#L7000`);
  await inSight('line 7000.');
  await page.waitForSelector('.line.current:has-text("line 7000.")');
  await page.click('.line:has-text("line 7000.") >> .n');
  assert(page.url() === `${vessel}#L7000`, `the address is ${page.url()}`);
  await page.evaluate(() => {
    location.hash = 'L12';
  });
  await inSight('line 12.');
  await page.goBack();
  await inSight('line 7000.');
  assert((await page.locator('.line').count()) < 5000, 'the page contains all lines');

  // Text that arrives later above the output pushes it down; the line stays in sight.
  let isThere = () => {};
  const isAwaited = new Promise((done) => {
    isThere = done;
  });
  const late = (route) => isAwaited.then(() => route.continue());
  await page.route('**/versions/*', late);
  await page.goto(`${vessel}?late=1#L7000`);
  await inSight('line 7000.');
  isThere();
  await page.waitForSelector('.facts >> text=main.sh');
  await inSight('line 7000.');
  await page.unroute('**/versions/*', late);

  const writer = bashVessel('main', 'seq -f "line %.0f." 1 300', 'exec sleep 1000');
  const fleet = await applyFleet(`name: Live lines\nvessels:\n${writer}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  const live = await untilRun(id, 'running');
  await page.goto(`${base}/runs/${id}/vessels/${live.vessels[0].id}`);
  await inSight('line 300.');
  assert(await isFollowing(), 'a live output is not followed');
  await page.goto(`${base}/runs/${id}/vessels/${live.vessels[0].id}#L20`);
  await inSight('line 20.');
  assert(!(await isFollowing()), 'a live output is followed away from the line of the address');
  await api('POST', `/fleetruns/${id}/stop`);
  await untilRun(id, 'terminated');
}

/** A skipped vessel has its line of output, on its own page and on the run's. */
export async function skippedVessel() {
  const fleet = await applyFleet(`name: Skipping\nvessels:\n${bashVessel('only', 'echo no')}`);
  const skip = { SHIPYARD_OVERRIDE_STATUS: 'ERROR' };
  const { fleet_run_id: id } = await api(
    'POST',
    `/fleets/${fleet.id}/trigger`,
    JSON.stringify({
      vessel_overrides: [{ name: 'only', environment_variable_overrides: skip }],
    }),
  );
  const run = await untilRun(id, 'errored');
  await page.goto(`${base}/runs/${id}`);
  await page.waitForSelector('h2:has-text("Output of only")');
  await page.waitForSelector(`.line:has-text("${SKIPPED}")`);
  await page.goto(`${base}/runs/${id}/vessels/${run.vessels[0].id}`);
  await page.waitForSelector(`.line:has-text("${SKIPPED}")`);
  await page.waitForSelector('.facts:has-text("skipped by override")');
  assert(!(await page.isVisible('text=so there is no output')), 'the page denies the output');
  const href = await page.getAttribute('a.button[download]', 'href');
  const file = await page.evaluate((path) => fetch(path).then((answer) => answer.text()), href);
  assert(file === `${SKIPPED}\n`, `the download is ${file}`);
  await look('vessel-skipped');
}
