// Checks of the page of a fleet run.
import { answerDialog, api, applyFleet, base, bashVessel, look, page, untilRun } from './tools.mjs';

const shortId = (id) => `${id.slice(0, 8)}…${id.slice(-4)}`;

/** A run and its repeat link to each other. */
export async function repeats() {
  const fleet = await applyFleet(`name: Repeats\nvessels:\n${bashVessel('main', 'true')}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await untilRun(id, 'success');
  await page.goto(`${base}/runs/${id}`);
  await page.click('button:text-is("Run again")');
  await answerDialog('Run again');
  await page.waitForSelector('.facts >> text=run again of');
  const again = page.url().split('/').pop();
  await page.click(`.facts a[href="/runs/${id}"]`);
  await page.waitForSelector(`.facts >> text=run again as ${shortId(again)}`);
  await look('repeats');
}

/** A run that is tried again says which attempt failed and when the next one is due. */
export async function retries() {
  const guardrails = '    guardrails: { retry_count: 24, retry_wait: 1h }\n';
  const fleet = await applyFleet(
    `name: Retries\nvessels:\n${bashVessel('main', 'exit 3')}${guardrails}`,
  );
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await page.goto(`${base}/runs/${id}`);
  const says = 'text=/attempt 1 of 25 failed .exit 3., next at [0-9]{2}:[0-9]{2}:[0-9]{2}/';
  await page.waitForSelector(`td >> ${says}`);
  await look('retries');
  await page.click('td a:text-is("main")');
  await page.waitForSelector(`.facts >> ${says}`);
  await api('POST', `/fleetruns/${id}/stop`);
  await untilRun(id, 'terminated');
}
