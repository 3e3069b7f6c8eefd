// Checks of moving between pages: Back, and a webhookd that is away.
import { api, applyFleet, assert, base, bashVessel, page, untilRun } from './tools.mjs';

/** Back shows as many runs as before, scrolled to where they were; a new page begins at its top. */
export async function back() {
  const fleet = await applyFleet(`name: Back\nvessels:\n${bashVessel('main', 'true')}`);
  let last;
  for (let i = 0; i < 130; i++) last = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await untilRun(last.id, 'success');
  const rows = () => page.locator('tbody tr').count();
  const untilRows = (count) =>
    page.waitForFunction(
      (wanted) => document.querySelectorAll('tbody tr').length === wanted,
      count,
    );
  await page.goto(`${base}/fleets/${fleet.id}`);
  await untilRows(50);
  await page.click('button:text-is("Show older")');
  await untilRows(100);
  await page.evaluate(() => scrollTo(0, document.querySelectorAll('tbody tr')[90].offsetTop));
  const before = await page.evaluate(() => scrollY);
  assert(before > 1000, 'the list is too short for this check');
  for (const reload of [false, true]) {
    await page.locator('tbody tr:nth-child(92) a').first().click();
    await page.waitForSelector('.gantt');
    assert((await page.evaluate(() => scrollY)) === 0, 'a new page is not at its top');
    if (reload) await page.reload();
    await page.waitForSelector('.gantt');
    await page.goBack();
    await untilRows(100);
    await page.waitForFunction((top) => Math.abs(scrollY - top) < 40, before);
  }
  assert((await rows()) === 100, 'Back shows another number of runs');
}

/** A page that cannot be read leaves the one before in place, and opens when webhookd is back. */
export async function navigatingWhileAway() {
  const fleet = await applyFleet(`name: Gone\nvessels:\n${bashVessel('main', 'true')}`);
  const gone = (route) => route.abort('connectionrefused');
  await page.goto(`${base}/`);
  await page.waitForSelector('a:text-is("Gone")');
  await page.route('**/api/v1/**', gone);
  await page.click('a:text-is("Gone")');
  await page.waitForSelector('#away >> text=The page that you asked for opens when');
  assert((await page.textContent('h1')) === 'Fleets', 'the page before is gone');
  await page.waitForSelector('a:text-is("Gone")');
  assert((await page.locator('.problem').count()) === 0, 'the page is dead');
  await page.unroute('**/api/v1/**', gone);
  await page.waitForSelector('h1:text-is("Gone")');
  await page.waitForSelector('#away:empty', { state: 'attached' });
  assert(page.url() === `${base}/fleets/${fleet.id}`, `the address is ${page.url()}`);

  await page.route('**/api/v1/**', gone);
  await page.reload();
  await page.waitForSelector('#away >> text=The console opens when');
  await page.unroute('**/api/v1/**', gone);
  await page.waitForSelector('h1:text-is("Gone")');
}
