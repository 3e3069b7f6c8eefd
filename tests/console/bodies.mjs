// Checks of large bodies on a run's tab "Webhook parameters".
import { api, applyFleet, assert, base, bashVessel, bodyText, clipboard, page } from './tools.mjs';

async function openRunWith(body) {
  const fleet = await applyFleet(`name: Bodies\nvessels:\n${bashVessel('main', 'true')}`);
  const run = await api('POST', `/fleets/${fleet.id}/fleetruns`, body);
  await page.goto(`${base}/runs/${run.id}/parameters`);
  await page.waitForSelector('button:text-is("Hex")');
  return run;
}

async function curl() {
  await page.click('button:text-is("Copy as curl")');
  await page.waitForFunction(() =>
    navigator.clipboard.readText().then((text) => text.startsWith('curl ')),
  );
  return clipboard();
}

/** JSON of 2 MB is indented, with few elements; curl reads it from the downloaded file. */
export async function largeJson() {
  const list = Array.from({ length: 40000 }, (_, i) => ({ id: i, text: `value ${i} é` }));
  const run = await openRunWith(JSON.stringify({ list, empty: [] }));
  assert((await bodyText()).startsWith('{\n  "list": [\n    {\n'), 'large JSON is not indented');
  assert((await page.locator('.line').count()) < 5000, 'the page contains all lines');
  await page.locator('.output').evaluate((box) => {
    box.scrollTop = box.scrollHeight;
  });
  await page.waitForSelector('.line:has-text("value 39999 é")');
  const command = await curl();
  assert(
    command.endsWith(`--data-binary @${run.id}.body`) && command.length < 1000,
    `curl gets the body as ${command.slice(-100)}`,
  );
}

/** Characters of several bytes stay characters wherever 256 KiB end. */
export async function largeText() {
  for (const before of ['', 'x']) {
    await openRunWith(before + 'é'.repeat(150000));
    await page.waitForSelector('button[aria-pressed=true]:text-is("Text")');
    assert((await bodyText()).startsWith(`${before}éé`), 'the text is not shown as text');
  }
}
