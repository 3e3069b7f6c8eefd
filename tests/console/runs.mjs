// Checks of the page of a fleet run.
import { api, applyFleet, base, bashVessel, look, page, untilRun } from './tools.mjs';

const shortId = (id) => `${id.slice(0, 8)}…${id.slice(-4)}`;

/** A run and its repeat link to each other. */
export async function repeats() {
  const fleet = await applyFleet(`name: Repeats\nvessels:\n${bashVessel('main', 'true')}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await untilRun(id, 'success');
  await page.goto(`${base}/runs/${id}`);
  await page.click('button:text-is("Run again")');
  await page.waitForSelector('.facts >> text=run again of');
  const again = page.url().split('/').pop();
  await page.click(`.facts a[href="/runs/${id}"]`);
  await page.waitForSelector(`.facts >> text=run again as ${shortId(again)}`);
  await look('repeats');
}
