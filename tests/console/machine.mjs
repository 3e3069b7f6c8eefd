// Checks of the bar that says what is wrong with webhookd itself.
import { assert, base, look, page } from './tools.mjs';

/** A runner that is off, a full disk and a missing key are told, and are gone once mended. */
export async function machine() {
  const change = async (route) => {
    const answer = await route.fetch();
    const envelope = await answer.json();
    envelope.data.runner.enabled = false;
    envelope.data.counts.runs_scheduled = 10000;
    envelope.data.ready = false;
    envelope.data.not_ready_because = 'the disk is full';
    envelope.data.key_problem = 'secret.key is missing';
    await route.fulfill({ response: answer, json: envelope });
  };
  await page.route('**/api/v1/status', change);
  await page.goto(`${base}/`);
  for (const text of [
    '10000 runs wait until it is on',
    'the disk is full',
    'secret.key is missing',
  ])
    await page.waitForSelector(`#machine >> text=${text}`);
  await look('machine');
  await page.unroute('**/api/v1/status', change);
  await page.reload();
  await page.waitForResponse((answer) => answer.url().endsWith('/api/v1/status'));
  await page.waitForSelector('h1:text-is("Fleets")');
  assert((await page.textContent('#machine')) === '', 'the bar tells what is mended');
}
