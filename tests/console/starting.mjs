// Checks of the buttons that start runs: they start a real one, so they ask before.
import { answerDialog, api, applyFleet, assert, base, bashVessel, page, tab } from './tools.mjs';

/** Run now, Run again and Send test request start nothing before they are confirmed. */
export async function confirmedStarts() {
  const fleet = await applyFleet(`name: Asks\nvessels:\n${bashVessel('main', 'true')}`);
  const count = async () => (await api('GET', `/fleets/${fleet.id}/fleetruns`)).fleetruns.length;
  await api('POST', `/fleets/${fleet.id}/webhook`);
  let expected = 0;
  for (const [path, button, answer] of [
    [`/fleets/${fleet.id}`, 'Run now', 'Run now'],
    [null, 'Run again', 'Run again'],
    [`/fleets/${fleet.id}/triggers`, 'Send test request', 'Send'],
  ]) {
    if (path) await page.goto(base + path);
    const before = page.url();
    await page.click(`button:text-is("${button}"):not([aria-disabled])`);
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    assert((await count()) === expected, `${button} started a run without being confirmed`);
    await page.click(`button:text-is("${button}"):not([aria-disabled])`);
    await answerDialog(answer);
    await page.waitForFunction((old) => location.href !== old, before);
    await page.waitForSelector('.facts .status.success');
    expected++;
    assert((await count()) === expected, `${button} did not start one run`);
  }
}

/** A body that is not JSON is not sent as JSON; closing the dialog keeps what was typed. */
export async function typedBody() {
  const fleet = await applyFleet(`name: Typed\nvessels:\n${bashVessel('main', 'true')}`);
  await page.goto(`${base}/fleets/${fleet.id}`);
  const open = () => page.click('button:text-is("Run with body…")');
  await open();
  await page.fill('dialog textarea', '{"half":');
  await page.keyboard.press('Escape');
  await page.waitForSelector('text=The text is kept');
  await page.waitForSelector('dialog', { state: 'detached' });
  await open();
  const typed = await page.inputValue('dialog textarea');
  assert(typed === '{"half":', `after Escape the text is ${typed}`);
  await answerDialog('Run now');
  await page.waitForSelector('dialog [role=alert]:has-text("The body is not JSON")');
  const { fleetruns } = await api('GET', `/fleets/${fleet.id}/fleetruns`);
  assert(fleetruns.length === 0, 'a body that is not JSON was sent as JSON');
  await page.fill('dialog input', 'text/plain');
  await answerDialog('Run now');
  await page.waitForSelector('.gantt');
  await tab('Webhook parameters');
  await page.waitForSelector('.output:has-text("half")');
}
