// Checks of the audit log.
import { api, applyFleet, assert, base, bashVessel, look, page } from './tools.mjs';

const file = (script) => `name: Audited\nvessels:\n${bashVessel('main', script)}`;
const untilRows = (count) =>
  page.waitForFunction((wanted) => document.querySelectorAll('tbody tr').length === wanted, count);

/** The log is filtered, by filters that the address keeps; a version leads to what it changed. */
export async function auditFilters() {
  const fleet = await applyFleet(file('echo before'));
  await applyFleet(file('echo after'));
  await page.goto(`${base}/keys/audit`);
  await page.waitForSelector('tbody tr');
  await page.selectOption('select[aria-label=Action]', 'fleet.apply');
  await page.selectOption('select[aria-label=Fleet]', fleet.id);
  await untilRows(2);
  await look('audit-filtered');
  await page.fill('[type=search]', 'nobody');
  await page.waitForSelector('text=No matching changes');
  await page.fill('[type=search]', 'ann');
  await untilRows(2);
  const filtered = page.url();
  assert(
    filtered === `${base}/keys/audit?who=ann&action=fleet.apply&fleet=${fleet.id}`,
    `the address is ${filtered}`,
  );
  await page.reload();
  await untilRows(2);

  await page.click('td a:text-is("v2")');
  await page.waitForSelector('text=Changes from v1 to v2');
  const changed = await page.locator('.diff .removed, .diff .added').allTextContents();
  assert(/before.*after/.test(changed.join()), `the differences are ${changed.join()}`);
  await page.selectOption('select[aria-label="Compare with"]', '');
  await page.waitForSelector('text=Changes from v1 to v2', { state: 'detached' });
  assert(!page.url().includes('against'), `the address is ${page.url()}`);
  await page.goBack();
  await untilRows(2);
  assert(page.url() === filtered, 'the filters are gone after a visit to a version');
  await page.click('td a:text-is("v1")');
  await page.waitForFunction(
    () => document.querySelector('select[aria-label=Version]')?.value === '1',
  );
  assert((await page.locator('.diff').count()) === 0, 'the first version is compared');

  await api('DELETE', `/fleets/${fleet.id}`);
  await page.goto(`${base}/keys/audit?fleet=${fleet.id}`);
  await page.waitForSelector('tr:has-text("Deleted fleet"):has-text("Audited")');
  await untilRows(3);
}
