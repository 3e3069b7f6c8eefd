// Checks of what all pages have in common.
import {
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  look,
  page,
  post,
  postTooLarge,
  untilRun,
} from './tools.mjs';

/** The navigation marks the part of the console that is open. */
export async function currentPart() {
  for (const [path, name] of [
    ['/', 'Fleets'],
    ['/runs', 'Runs'],
    ['/credentials', 'Credentials'],
    ['/keys', 'Keys'],
  ]) {
    await page.goto(base + path);
    await page.waitForSelector(`header a[aria-current=page]:text-is("${name}")`);
    assert((await page.locator('header a[aria-current]').count()) === 1, 'two parts are marked');
  }
}

/** Run and vessel pages show dates; numbers are on the right; a printed page has all output. */
export async function datesAndPrint() {
  const fleet = await applyFleet(`name: Dates\nvessels:\n${bashVessel('main', 'seq 200')}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  const run = await untilRun(id, 'success');
  const year = run.started_at.slice(0, 4);
  await page.goto(`${base}/runs/${id}`);
  await page.waitForSelector(`.facts >> text=/ ${year}, .* – /`);
  await page.waitForSelector(`td >> text=/ ${year}, /`);
  const align = await page
    .locator('th:text-is("Attempts")')
    .evaluate((one) => getComputedStyle(one).textAlign);
  assert(align === 'right', `numbers are aligned ${align}`);
  await page.goto(`${base}/runs/${id}/vessels/${run.vessels[0].id}`);
  await page.waitForSelector('.line:has-text("200")');
  await page.emulateMedia({ media: 'print' });
  const isWhole = await page
    .locator('.output')
    .evaluate((one) => one.clientHeight >= one.scrollHeight - 1 && one.clientHeight > 2000);
  await page.emulateMedia({ media: null });
  assert(isWhole, 'a printed page lacks a part of the output');
}

/** The Triggers tab has a place for refused requests, with their numbers by reason. */
export async function refusals() {
  const fleet = await applyFleet(`name: Refusals\nvessels:\n${bashVessel('main', 'true')}`);
  const { url } = await api('POST', `/fleets/${fleet.id}/webhook`);
  await page.goto(`${base}/fleets/${fleet.id}/triggers`);
  await page.waitForSelector('.refusals >> text=No request to this webhook was refused today.');
  await postTooLarge(url);
  await page.waitForSelector('.refusals >> text=1 request to this webhook was refused today.');
  await page.waitForSelector('tr:has-text("413"):has-text("the body is too large")');
  const wrong = page.locator('tr:has-text("400"):has-text("the token belongs to no webhook")');
  const count = async () => Number(await wrong.locator('.number').textContent());
  await post(`${url}x`);
  await wrong.waitFor(); // without a reload
  const before = await count();
  await post(`${url}x`);
  await page.waitForFunction(
    (least) =>
      [...document.querySelectorAll('.refusals tr')].some(
        (row) => row.textContent.startsWith('400') && Number(row.lastChild.textContent) > least,
      ),
    before,
  );
  await look('refusals');
}
