// Checks that people who use a keyboard or a screen reader can use every page: axe-core finds
// nothing, wide and narrow, light and dark; each page has one h1; a key reaches whatever scrolls.
import {
  api,
  answerDialog,
  applyFleet,
  assert,
  axeFaults,
  base,
  bashVessel,
  browser,
  eachView,
  key,
  page,
  untilRun,
} from './tools.mjs';
import { longNames } from './widths.mjs';

const NOWHERE = '00000000-0000-7000-8000-000000000000';

/** Finds faults that no rule of axe covers. Runs in the page. */
function ownFaults() {
  const faults = [];
  const headings = document.querySelectorAll('h1').length;
  if (headings !== 1) faults.push(`there are ${headings} h1`);
  for (const title of document.querySelectorAll('th'))
    if (title.textContent.trim() === '') faults.push('a column has no title');
  for (const one of document.querySelectorAll('body *')) {
    const style = getComputedStyle(one);
    const scrolls =
      (/auto|scroll/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1) ||
      (/auto|scroll/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 1);
    if (!scrolls || one.matches('textarea, nav, dialog') || one.clientHeight === 0) continue;
    const isNamed = one.hasAttribute('role') && one.hasAttribute('aria-label');
    if (one.tabIndex < 0 || !isNamed)
      faults.push(`no key reaches what scrolls: ${one.outerHTML.slice(0, 80)}`);
  }
  return faults;
}

/** Lists the faults of a page as it is now, in each view. */
async function faultsOf(name, view = page) {
  const faults = [];
  await eachView(async (where, colorScheme) => {
    const found = [...(await axeFaults(colorScheme, view)), ...(await view.evaluate(ownFaults))];
    faults.push(...found.map((one) => `${name}, ${where}: ${one}`));
  }, view);
  return faults;
}

const isLoaded = () =>
  page.waitForFunction(() => {
    const card = document.querySelector('.card');
    return document.querySelector('main :is(h1, h2, [role=alert])') && card?.textContent !== '…';
  });

/** Opens each page and looks for faults. */
async function faultsOfPages(pages) {
  const faults = [];
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(base + path);
    await isLoaded();
    faults.push(...(await faultsOf(name)));
  }
  return faults;
}

/** Fails with all faults, each once with the first view that has it. */
function assertNone(faults) {
  assert(faults.length === 0, `${faults.length} faults:\n${faults.join('\n')}`);
}

/** A fleet with several vessels, a run that has ended, one that goes on, and one that waits. */
async function createFleet() {
  const file = (line) => `name: Accessible
vessels:
${bashVessel('failed', 'seq 1 60', 'exit 1')}${bashVessel('slow', 'exec sleep 1000')}${bashVessel(
    'after',
    line,
  )}connections: { failed: { slow: ERRORED, after: SUCCESS } }
max_concurrent_runs: 1
`;
  await applyFleet(file('true'));
  const fleet = await applyFleet(file('echo "and a line that is much wider than a phone is"'));
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  const run = await untilRun(id, 'running');
  const waiting = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  return { fleet: fleet.id, run, waiting: waiting.id };
}

export async function accessiblePages() {
  const { fleet, run, waiting } = await createFleet();
  const { new: newFleet, ...long } = await longNames();
  const [vessel] = run.vessels;
  const faults = await faultsOfPages({
    ...long,
    newFleet,
    triggersNone: `/fleets/${fleet}/triggers`,
    several: `/runs/${run.id}`,
    waiting: `/runs/${waiting}`,
    noParameters: `/runs/${waiting}/parameters`,
    running: `/runs/${run.id}/vessels/${vessel.id}`,
    noRuns: `/fleets/${fleet}?status=success`,
    versions: `/fleets/${fleet}/definition`,
    notFound: '/nothing',
    noFleet: `/fleets/${NOWHERE}`,
    noRun: `/runs/${NOWHERE}`,
    noVessel: `/runs/${run.id}/vessels/${NOWHERE}`,
  });
  await page.goto(`${base}/fleets/${fleet}/definition`);
  await page.selectOption('[aria-label="Compare with"]', '1');
  await page.waitForSelector('.diff');
  faults.push(...(await faultsOf('comparison')));
  await page.click('button:text-is("Edit")');
  faults.push(...(await faultsOf('editor')));
  await api('POST', `/fleetruns/${run.id}/stop`);
  await api('POST', `/fleetruns/${waiting}/stop`);
  assertNone(faults);
}

export async function accessibleDialogs() {
  const fleet = await applyFleet(`name: Dialogs\nvessels:\n${bashVessel('main', 'true')}`);
  const faults = [];
  await page.goto(`${base}/fleets/${fleet.id}`);
  await page.click('button:text-is("Run now")');
  await page.waitForSelector('dialog[open]');
  faults.push(...(await faultsOf('confirmation')));
  await answerDialog('Cancel');
  await page.click('button:text-is("Run with body…")');
  await page.waitForSelector('dialog[open]');
  faults.push(...(await faultsOf('body')));
  await page.fill('dialog textarea', '{');
  await answerDialog('Run now');
  await page.waitForSelector('dialog [role=alert]:not([hidden])');
  faults.push(...(await faultsOf('refused body')));
  await answerDialog('Cancel');
  assertNone(faults);
}

/** The pages of those who are not signed in, and of those who cannot reach webhookd. */
export async function accessibleOutside() {
  const own = await browser.newContext();
  const view = await own.newPage();
  await view.goto(`${base}/`);
  await view.waitForSelector('#key');
  const faults = await faultsOf('sign-in', view);
  await view.fill('#key', 'wha_1');
  await view.keyboard.press('Enter');
  await view.waitForSelector('[role=alert]:not([hidden])');
  faults.push(...(await faultsOf('refused key', view)));
  await view.fill('#key', key);
  await view.keyboard.press('Enter');
  await view.waitForSelector('header a');
  await view.route('**/api/v1/**', (route) => route.abort('connectionrefused'));
  await view.reload();
  await view.waitForSelector('#away >> text=No connection');
  faults.push(...(await faultsOf('away', view)));
  await own.close();
  assertNone(faults);
}

export async function accessibleCredentials() {
  const [org] = (await api('GET', '/orgs')).orgs;
  const faults = [];
  await page.goto(`${base}/credentials/${org.id}/NO.SUCH`);
  await page.waitForSelector('text=Credential NO.SUCH does not exist');
  faults.push(...(await faultsOf('missing credential')));
  await page.click('button:text-is("Set credential")');
  await page.waitForSelector('dialog[open]');
  faults.push(...(await faultsOf('value')));
  await answerDialog('Set');
  await page.waitForSelector('dialog [aria-invalid=true]');
  faults.push(...(await faultsOf('refused value')));
  await answerDialog('Cancel');
  assertNone(faults);
}
