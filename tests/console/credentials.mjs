// Checks of the pages of credentials. A value goes to webhookd; then it is nowhere in the page.
import {
  answerDialog,
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  key,
  look,
  page,
  untilRun,
} from './tools.mjs';

const CANARY = 'canary-5d1fb0';
const VALUE = `-----BEGIN KEY-----\n${CANARY} "'\\ $(x)\n-----END KEY-----`;

const defaultOrg = async () =>
  (await api('GET', '/orgs')).orgs.find(({ name }) => name === 'default');
const pathOf = (org, name) => `/orgs/${org.id}/credentials/${name.replace('.', '/')}`;
const setByApi = (org, name) => api('PUT', pathOf(org, name), 'by the API');
const namesOf = async (org) =>
  (await api('GET', `/orgs/${org.id}/credentials`)).credentials.map(({ name }) => name);

/** A fleet with one vessel that refers to the credential and one that refers to none. */
const applyUser = (fleet, name) =>
  applyFleet(`name: ${fleet}
vessels:
${bashVessel('teller', 'printf "<%s>" "$SECRET"')}      environment:
        - { name: SECRET, value: '#{${name}}' }
        - { name: TEXT, value: '##{NO.REFERENCE}' }
${bashVessel('other', 'true')}connections: { teller: { other: SUCCESS } }
`);

async function outputOf(fleet, name) {
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  const run = await untilRun(id, 'success');
  const vessel = run.vessels.find((one) => one.name === name);
  const answer = await fetch(`${base}/api/v1/fleetruns/${id}/vessels/${vessel.id}/log`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return { run, text: await answer.text() };
}

/** What the page still has of a value, in its elements and in its fields. */
const hasCanary = () =>
  page.evaluate(
    (canary) =>
      document.documentElement.outerHTML.includes(canary) ||
      [...document.querySelectorAll('input, textarea')].some(({ value }) => value.includes(canary)),
    CANARY,
  );

async function assertNoCanary(when) {
  await page.waitForSelector('dialog', { state: 'detached' });
  assert(!(await hasCanary()), `the page has the value ${when}`);
}

const faultOf = (field) => page.textContent(`#credential-${field}-fault`);
const fillName = async (group, item) => {
  await page.fill('#credential-group', group);
  await page.fill('#credential-item', item);
};
const openSet = () => page.click('button:text-is("Set credential")');

/** Wrong names and values are told at their fields, and nothing is stored. */
export async function refusedCredentials() {
  const { id } = await api('POST', '/orgs', '{"name": "harbour"}');
  await page.goto(`${base}/credentials?org=${id}`);
  await page.waitForSelector('text=No credentials yet');
  await page.waitForSelector('code:has-text("#{DB.PASSWORD}")');
  await look('credentials-none');
  await openSet();
  await page.waitForSelector('dialog #credential-group:focus');
  await look('credential-set');
  await answerDialog('Set');
  for (const field of ['group', 'item', 'value'])
    await page.waitForSelector(`#credential-${field}[aria-invalid=true]`);
  await page.waitForSelector('#credential-group:focus');
  await look('credential-refused');
  await fillName('DB', `A${'B'.repeat(63)}`);
  assert((await faultOf('group')) === '', 'a fault stays while the field is corrected');
  await page.fill('#credential-value', 'é'.repeat(32 * 1024 + 1));
  await answerDialog('Set');
  assert((await faultOf('group')) === '', 'a good group is refused');
  assert(/at most 63/.test(await faultOf('item')), 'an item of 64 characters is accepted');
  assert(/at most 64 KiB/.test(await faultOf('value')), 'a value over 64 KiB is accepted');
  await fillName('DB', 'PASSWORD');
  await page.fill('#credential-value', '\n');
  await answerDialog('Set');
  assert(/empty/.test(await faultOf('value')), 'a value of one line end is accepted');
  assert((await namesOf({ id })).length === 0, 'a refused credential is stored');

  const refuse = (route) =>
    route.fulfill({ status: 400, json: { error: { message: 'not that one', field: 'item' } } });
  await page.route('**/credentials/DB/PASSWORD', refuse);
  await page.fill('#credential-value', VALUE);
  await answerDialog('Set');
  await page.waitForSelector('#credential-item-fault:text-is("not that one")');
  await page.waitForSelector('#credential-item:focus');
  await page.waitForSelector('dialog [role=alert]:has-text("Nothing was stored")');
  await page.unroute('**/credentials/DB/PASSWORD', refuse);
  await page.keyboard.press('Escape');
  await assertNoCanary('after Escape');
  await api('DELETE', `/orgs/${id}`);
}

/** A value of several lines is set and replaced; the page never shows it, and forgets it. */
export async function setCredentials() {
  const org = await defaultOrg();
  const asked = [];
  const listen = (request) => asked.push(request.url());
  page.on('request', listen);
  await page.goto(`${base}/credentials`);
  await openSet();
  await fillName('SHIP', 'KEY');
  await page.fill('#credential-value', `${VALUE}\n`);
  const styleOf = () =>
    page.$eval('#credential-value', (one) => getComputedStyle(one).webkitTextSecurity);
  assert((await styleOf()) === 'disc', 'the value is shown while it is typed');
  await page.check('#credential-show');
  assert((await styleOf()) === 'none', 'the value is not shown when that is chosen');
  await page.uncheck('#credential-show');
  await look('credential-typed');
  await answerDialog('Set');
  await page.waitForSelector('h1:text-is("SHIP.KEY")');
  await page.waitForSelector('text=SHIP.KEY was stored');
  await page.waitForSelector('h2:text-is("Used by no fleet")');
  await assertNoCanary('after it was stored');

  const fleet = await applyUser('Sealed', 'SHIP.KEY');
  asked.length = 0;
  await page.goto(`${base}/credentials`);
  const row = page.locator('tr:has-text("SHIP.KEY")');
  await row.locator('text=never').waitFor();
  assert((await row.textContent()).includes('ann'), 'the row does not say who changed it');
  const { text } = await outputOf(fleet, 'teller');
  assert(text === `<${VALUE}>`, `the vessel got ${text}`);
  await row.locator('text=never').waitFor({ state: 'detached' }); // without a reload
  assert(!asked.some((url) => url.endsWith('/used')), 'the list asks who uses a credential');
  page.off('request', listen);
  await look('credentials');

  await openSet();
  await fillName('SHIP', 'KEY');
  await page.fill('#credential-value', 'x');
  await answerDialog('Set');
  await page.waitForSelector('#credential-item-fault >> text=exists already');
  await answerDialog('Cancel');

  await row.locator('a').click();
  await page.waitForSelector('h2:text-is("Used by 1 fleet")');
  await look('credential');
  await page.click('button:text-is("Replace")');
  await page.waitForSelector('dialog >> text=The next attempt of a vessel uses the new value');
  await page.waitForSelector('dialog #credential-value:focus');
  await page.keyboard.type(`${CANARY} anew`);
  await answerDialog('Replace');
  await page.waitForSelector('text=SHIP.KEY was replaced: the next attempt uses the new value');
  await assertNoCanary('after it was replaced');
  const anew = await outputOf(fleet, 'teller');
  assert(anew.text === `<${CANARY} anew>`, `after replacing it, the vessel got ${anew.text}`);
  await api('DELETE', `/fleets/${fleet.id}`);
  await api('DELETE', pathOf(org, 'SHIP.KEY'));
}

/** Leaving the page and the end of the session close the dialog; the value is gone. */
export async function leftCredential() {
  const org = await defaultOrg();
  await setByApi(org, 'LEFT.KEY');
  await page.goto(`${base}/credentials`);
  await page.click('a:text-is("LEFT.KEY")');
  await page.click('button:text-is("Replace")');
  await page.fill('#credential-value', VALUE);
  await page.evaluate(() => history.back());
  await page.waitForSelector('h1:text-is("Credentials")');
  await assertNoCanary('after Back');
  await openSet();
  await page.fill('#credential-value', VALUE);
  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
  await page.waitForSelector('#key');
  await assertNoCanary('after the end of the session');
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:text-is("Credentials")');
  await api('DELETE', pathOf(org, 'LEFT.KEY'));
}

/** Definitions and vessels lead to credentials; a vessel's page says that output is not masked. */
export async function linkedCredentials() {
  const org = await defaultOrg();
  await setByApi(org, 'LINK.KEY');
  const fleet = await applyUser('Linked', 'LINK.KEY');
  const { run } = await outputOf(fleet, 'teller');
  const unmasked =
    'text=The output is complete and not masked, so it may show values of credentials.';
  for (const { name, id } of run.vessels) {
    await page.goto(`${base}/runs/${run.id}/vessels/${id}`);
    await page.waitForSelector(`.facts >> text=${name}.sh`);
    const isTold = name === 'teller';
    assert((await page.locator(unmasked).count()) === Number(isTold), `${name}: said or not said`);
    const links = await page.locator('main a:has-text("#{")').allTextContents();
    assert(links.join() === (isTold ? '#{LINK.KEY}' : ''), `${name} links to ${links.join()}`);
    if (isTold) await look('vessel-credentials');
  }
  await page.goto(`${base}/fleets/${fleet.id}/definition`);
  await page.waitForSelector('p:has-text("Refers to #{LINK.KEY}")');
  assert((await page.locator('main a:has-text("#{")').count()) === 1, 'more than one link');
  await page.click('a:text-is("#{LINK.KEY}")');
  await page.waitForSelector('h1:text-is("LINK.KEY")');
  await api('DELETE', `/fleets/${fleet.id}`);
  await api('DELETE', pathOf(org, 'LINK.KEY'));
}

/** A credential in use is removed after a second confirmation; an unused one after the first. */
export async function removedCredentials() {
  const org = await defaultOrg();
  await setByApi(org, 'GONE.KEY');
  const fleet = await applyUser('Leaver', 'GONE.KEY');
  const address = `${base}/credentials/${org.id}/GONE.KEY`;
  const remove = () => page.click('button:text-is("Remove"):not([aria-disabled])');
  const isThere = async () => (await namesOf(org)).includes('GONE.KEY');
  await page.goto(address);
  await remove();
  await page.waitForSelector('dialog li:has-text("default/Leaver, vessel teller")');
  await look('credential-in-use');
  await page.click('dialog a:text-is("default/Leaver")');
  await page.waitForSelector('h1:text-is("Leaver")');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.goBack();
  await page.waitForSelector('h1:text-is("GONE.KEY")');
  await remove();
  await answerDialog('Remove by force…');
  await page.waitForSelector('dialog h2:text-is("Remove GONE.KEY by force?")');
  await answerDialog('Cancel');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert(await isThere(), 'the credential is removed in spite of Cancel');
  await remove();
  await answerDialog('Remove by force…');
  await page.click('dialog button:text-is("Remove by force")');
  await page.waitForSelector('text=GONE.KEY was removed');
  await page.waitForSelector('h1:text-is("Credentials")');
  assert(!(await isThere()), 'the credential is not removed');

  await page.goto(address);
  await page.waitForSelector('h2:text-is("Credential GONE.KEY does not exist")');
  await openSet();
  await page.fill('#credential-value', VALUE);
  await answerDialog('Set');
  await page.waitForSelector('h2:text-is("Used by 1 fleet")');
  await assertNoCanary('after it was stored again');
  await api('DELETE', `/fleets/${fleet.id}`);
  await remove();
  await page.waitForSelector('dialog >> text=No fleet uses it');
  await answerDialog('Remove');
  await page.waitForSelector('text=GONE.KEY was removed');
  assert(!(await isThere()), 'the unused credential is not removed');

  await page.goto(`${base}/keys/audit?action=credential.remove`);
  await page.waitForSelector('tr:has-text("Removed credential"):has-text("GONE.KEY")');
  await page.selectOption('select[aria-label=Action]', 'credential.set');
  await page.click('tr:has-text("Set credential") >> a:text-is("GONE.KEY")');
  await page.waitForSelector('h2:text-is("Credential GONE.KEY does not exist")');
}

/** The address chooses the organization if there are several. */
export async function credentialsOfOrgs() {
  const org = await defaultOrg();
  const own = await api('POST', '/orgs', '{"name": "lighthouse"}');
  await setByApi(org, 'ORG.ONE');
  await setByApi(own, 'ORG.TWO');
  const has = (name) => page.waitForSelector(`tbody a:text-is("${name}")`);
  await page.goto(`${base}/credentials?org=${own.id}`);
  await has('ORG.TWO');
  assert((await page.locator('a:text-is("ORG.ONE")').count()) === 0, 'one of another organization');
  await look('credentials-orgs');
  await page.selectOption('select[aria-label=Organization]', org.id);
  await has('ORG.ONE');
  assert(page.url() === `${base}/credentials?org=${org.id}`, `the address is ${page.url()}`);
  await page.click('a:text-is("ORG.ONE")');
  await page.click('.crumbs a');
  await has('ORG.ONE');
  await page.selectOption('select[aria-label=Organization]', own.id);
  await has('ORG.TWO');
  await openSet();
  await page.waitForSelector('dialog h2:text-is("Set a credential of lighthouse")');
  await answerDialog('Cancel');
  await api('DELETE', pathOf(org, 'ORG.ONE'));
  await api('DELETE', pathOf(own, 'ORG.TWO'));
  await api('DELETE', `/orgs/${own.id}`);
  await page.goto(`${base}/credentials?org=${own.id}`);
  await page.waitForSelector('text=This organization does not exist.');
}
