// Keys with a role, a fleet or an expiry, on the page of the keys.
import { answerDialog, api, assert, base, browser, look, page } from './tools.mjs';

/** Signs in with a key in a window of its own, and returns why that fails. */
async function signInWith(key) {
  const own = await browser.newContext();
  const view = await own.newPage();
  await view.goto(`${base}/`);
  await view.fill('#key', key);
  await view.keyboard.press('Enter');
  const why = await view.textContent('[role=alert]:not([hidden])');
  await own.close();
  return why;
}

/** The list says that a key has expired. */
export async function expiredKey() {
  await api('POST', '/keys', JSON.stringify({ name: 'brief', expires_in_s: 1 }));
  const brief = async () => (await api('GET', '/keys')).keys.find(({ name }) => name === 'brief');
  while ((await brief()).state === 'active') await page.waitForTimeout(50);
  await page.goto(`${base}/keys`);
  await page.waitForSelector('tr:has-text("brief"):has-text("Expired · Owner")');
  await look('keys-expired');
  await page.click('button[aria-label="Revoke brief"]');
  await answerDialog('Revoke');
  await page.waitForSelector('text=brief was revoked');
}

/** Creates a key for one fleet only, which then cannot sign in. */
export async function triggerKeys() {
  await page.goto(`${base}/keys`);
  await page.waitForSelector('#key-name');
  assert(!(await page.isVisible('select[aria-label="Fleets"]')), 'an owner’s key can be bound');
  await page.fill('#key-name', 'ci');
  await page.selectOption('select[aria-label="Role"]', 'trigger');
  const fleets = page.locator('select[aria-label="Fleets"]');
  await fleets.locator('option:text-is("default/default/Site")').waitFor({ state: 'attached' });
  await fleets.selectOption({ label: 'default/default/Site' });
  await page.selectOption('select[aria-label="Expiry"]', '90');
  await page.click('button:text-is("Create key")');
  await page.waitForSelector('.warning >> text=Anyone with this key can start runs of Site.');
  await page.waitForSelector('tr:has-text("ci"):has-text("Trigger: default/default/Site")');
  const ci = (await api('GET', '/keys')).keys.find(({ name }) => name === 'ci');
  assert(ci.role === 'trigger' && ci.fleet_name === 'Site', `the key is ${JSON.stringify(ci)}`);
  const days = (Date.parse(ci.expires_at) - Date.parse(ci.created_at)) / 86400000;
  assert(days === 90, `the key expires after ${days} days`);
  const bound = await page.textContent('.warning .url');
  const refused = await signInWith(bound);
  assert(refused.includes('sign in with a key whose role is owner'), `signing in: ${refused}`);
  await look('keys-trigger');
  await page.selectOption('select[aria-label="Role"]', 'owner');
  assert(!(await page.isVisible('select[aria-label="Fleets"]')), 'an owner’s key can be bound');
  await page.click('.warning >> button:text-is("Done")');
  await page.click('button[aria-label="Revoke ci"]');
  await answerDialog('Revoke');
  await page.waitForSelector('text=ci was revoked');
}
