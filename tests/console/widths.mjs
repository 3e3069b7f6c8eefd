// Checks that every page fits the window, whatever the names in it are.
import {
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  folder,
  here,
  page,
  untilRun,
} from './tools.mjs';

/** 720 and 640 px are wide windows at 200 %. */
const WIDTHS = [1440, 720, 640, 390, 320];
/** Up to this width a row of a table is a block. */
const STACKED = 640;
const BLOCK_LINES = 3;
const LINE_PX = 25;
const LONG = `harbour-${'x'.repeat(230)}`;
const LONG_CREDENTIAL = `A${'B'.repeat(62)}.C${'D'.repeat(62)}`;

/** A key and a credential that it sets, with the longest names. Returns the organization's id. */
async function setLongCredential() {
  const { key } = await api('POST', '/keys', JSON.stringify({ name: LONG }));
  const [{ id }] = (await api('GET', '/orgs')).orgs;
  await fetch(`${base}/api/v1/orgs/${id}/credentials/${LONG_CREDENTIAL.replace('.', '/')}`, {
    method: 'PUT',
    body: 'x',
    headers: { authorization: `Bearer ${key}` },
  });
  return id;
}

/** A fleet whose names, event, query, headers and key are as long as they can be. */
async function createLongNames() {
  const org = await setLongCredential();
  const uses = `      environment: [ { name: SECRET, value: '#{${LONG_CREDENTIAL}}' } ]`;
  const fleet = await applyFleet(
    `name: ${LONG}\nvessels:\n${bashVessel('main', 'exit 1')}${uses}\n`,
  );
  const { url } = await api('POST', `/fleets/${fleet.id}/webhook`);
  const answer = await fetch(`${here(url)}?q=${LONG}`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'x-github-event': `push-${LONG}`, [`x-${LONG}`]: LONG },
  });
  const run = (await answer.json()).data.fleet_run_id;
  const { vessels } = await untilRun(run, 'errored');
  const limited = { name: `${LONG}-ci`, role: 'trigger', fleet_id: fleet.id };
  await api('POST', '/keys', JSON.stringify(limited));
  return {
    fleets: '/',
    runs: '/runs',
    fleet: `/fleets/${fleet.id}`,
    triggers: `/fleets/${fleet.id}/triggers`,
    definition: `/fleets/${fleet.id}/definition`,
    run: `/runs/${run}`,
    parameters: `/runs/${run}/parameters`,
    vessel: `/runs/${run}/vessels/${vessels[0].id}`,
    credentials: '/credentials',
    credential: `/credentials/${org}/${LONG_CREDENTIAL}`,
    keys: '/keys',
    audit: '/keys/audit',
    new: '/fleets/new',
  };
}

/** @type {ReturnType<typeof createLongNames> | null} */
let created = null;
/** The pages of that fleet, for each check that wants them. */
export const longNames = () => (created ??= createLongNames());

/** What is wider than its place: the page, or what leaves the box around it. */
const tooWide = () =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const found = scrollWidth > clientWidth ? [`the page (${scrollWidth} px)`] : [];
    for (const box of document.querySelectorAll('main, .crumbs, .facts, .card, .row, header div'))
      if (box.scrollWidth > box.clientWidth + 1 && !box.closest('.table'))
        found.push(`${box.className || box.tagName} (${box.scrollWidth} px)`);
    return found;
  });

/** Each row of the runs is one stop for the Tab key. */
export async function tabStops() {
  const pages = await longNames();
  await page.goto(base + pages.runs);
  await page.waitForSelector('tbody tr');
  const stops = await page
    .locator('tbody tr')
    .first()
    .locator('a, button')
    .evaluateAll((all) => all.filter((one) => one.tabIndex >= 0).length);
  assert(stops === 1, `a row has ${stops} tab stops`);
  await page.goto(`${base}/keys`);
  await page.waitForSelector('tbody tr');
  const titles = await page.locator('th').allTextContents();
  assert(!titles.includes(''), 'a column has no title');
}

/** Lists the faults of the tables at this width: they scroll, or a row is no small block. */
const tableFaults = (width) =>
  page.evaluate(
    ({ isStacked, most }) => {
      const found = [];
      for (const one of document.querySelectorAll('.table'))
        if (one.scrollWidth > one.clientWidth) found.push('a table is wider than its place');
      for (const row of document.querySelectorAll('.table tbody tr')) {
        const hasText = [...row.querySelectorAll('.wide')].some((one) => one.textContent !== '');
        if (isStacked && !hasText && row.offsetHeight > most)
          found.push(`a row is ${row.offsetHeight} px high`);
      }
      return found;
    },
    { isStacked: width <= STACKED, most: BLOCK_LINES * LINE_PX + 20 },
  );

/** The filters of a list take at most two lines: a field below the one before begins a line. */
const filterFaults = () =>
  page.evaluate(() => {
    const found = [];
    for (const filters of document.querySelectorAll('.filters')) {
      const boxes = [...filters.children]
        .map((one) => one.getBoundingClientRect())
        .filter(({ height }) => height > 0);
      const lines = boxes.filter(({ top }, i) => i === 0 || top >= boxes[i - 1].bottom).length;
      if (lines > 2) found.push(`the filters take ${lines} lines`);
    }
    return found;
  });

/** Nothing leaves its place, and no table has to be scrolled: on a phone its rows become blocks. */
export async function widths() {
  const pages = await longNames();
  const faults = [];
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(base + path);
    await page.waitForSelector('h1');
    await page.waitForFunction(
      () => document.querySelector('.card') && document.querySelector('.card').textContent !== '…',
    );
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${folder}/width-${name}-${width}.png` });
      const found = [await tooWide(), await tableFaults(width), await filterFaults()].flat();
      faults.push(...found.map((what) => `${path} at ${width} px: ${what}`));
    }
  }
  assert(faults.length === 0, faults.join('\n'));
  await page.setViewportSize({ width: 320, height: 800 });
  for (const [name, columns] of [
    ['fleets', ['Last runs', 'Fleet', 'Last run']],
    ['runs', ['Run', 'Fleet', 'Event', 'Started', 'Duration']],
    ['fleet', ['Run', 'Event', 'Started', 'Duration']],
    ['run', ['Status', 'Vessel', 'Exit', 'Duration']],
    ['credentials', ['Credential', 'Changed', 'Last used']],
    ['keys', ['Key', 'Last used', 'Action']],
    ['audit', ['When', 'Who', 'Action', 'Target']],
  ]) {
    await page.goto(base + pages[name]);
    await page.waitForSelector('tbody tr');
    const seen = await page.evaluate(() =>
      [...document.querySelectorAll('tbody tr:first-child td')]
        .filter((one) => one.offsetWidth > 0 && one.getBoundingClientRect().right <= innerWidth)
        .map((one) => one.dataset.title),
    );
    const missing = columns.filter((one) => !seen.includes(one));
    assert(missing.length === 0, `${name}, 320 px: ${missing.join(', ')} not in sight`);
  }
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(base + pages.parameters);
  await page.click('button:text-is("Hex")');
  const height = await page
    .locator('.output .line')
    .first()
    .evaluate((one) => one.offsetHeight);
  assert(height < 30, `a line of the hex view is ${height} px high`);
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.goto(`${base}/`);
  const link = page.locator(`a[title="${LONG}"]`);
  await link.waitFor();
  assert((await link.textContent()) === LONG, 'a clipped link lacks a part of the name');
}
