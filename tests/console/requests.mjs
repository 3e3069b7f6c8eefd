// Counts the requests that pages send.
import { api, applyFleet, assert, base, bashVessel, page, post, untilRun } from './tools.mjs';

/** Counts the page's requests to the API while `action` runs. The stream of events is not one. */
async function count(action) {
  const seen = [];
  const note = (request) => {
    const path = request.url().replace(`${base}/api/v1`, '');
    if (path.startsWith('/fleet')) seen.push(path);
  };
  page.on('request', note);
  await action();
  page.off('request', note);
  return seen;
}

/** Stops the runs that earlier checks have left: with each of their changes, pages read again. */
async function stopRuns() {
  for (;;) {
    const lists = await Promise.all(
      ['scheduled', 'running'].map((status) => api('GET', `/fleetruns?status=${status}`)),
    );
    const runs = lists.flatMap((list) => list.fleetruns);
    if (runs.length === 0) return;
    await Promise.all(runs.map(({ id }) => api('POST', `/fleetruns/${id}/stop`).catch(() => {})));
    await page.waitForTimeout(100);
  }
}

const streamIsOpen = () => page.waitForResponse((answer) => answer.url().includes('/events'));

/** The page of all fleets needs one request, and does not read again when its stream opens. */
export async function oneRequest() {
  await stopRuns();
  const fleet = await applyFleet(`name: Counted\nvessels:\n${bashVessel('main', 'true')}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await untilRun(id, 'success');
  await page.goto(`${base}/keys`);
  await page.waitForSelector('h1');
  const seen = await count(async () => {
    const opened = streamIsOpen();
    await page.goto(`${base}/`);
    await page.waitForSelector(`a.outcome.success[href="/runs/${id}"]`);
    await opened;
    await page.waitForTimeout(1500); /* a second reading would have begun */
  });
  assert(seen.length === 1, `the page of all fleets sent ${seen.length}: ${seen.join(' ')}`);
}

/** News from before the stream is not lost, although opening it reads nothing again. */
export async function newsBeforeTheStream() {
  const fleet = await applyFleet(`name: Early\nvessels:\n${bashVessel('main', 'true')}`);
  let id = '';
  const late = async (route) => {
    if (!id) ({ id } = await api('POST', `/fleets/${fleet.id}/fleetruns`));
    await untilRun(id, 'success');
    await route.continue();
  };
  await page.route('**/api/v1/events*', late);
  await page.goto(`${base}/`);
  const row = page.locator('tr', { has: page.locator(`a[href="/fleets/${fleet.id}"]`) });
  await row.locator('a.outcome.success').waitFor();
  await page.unroute('**/api/v1/events*', late);
}

/** Many changes cause at most one reading a second. */
export async function manyChanges() {
  const fleet = await applyFleet(`name: Busy\nvessels:\n${bashVessel('main', 'true')}`);
  const { url } = await api('POST', `/fleets/${fleet.id}/webhook`);
  for (const path of ['/', '/runs', `/fleets/${fleet.id}`]) {
    const opened = streamIsOpen();
    await page.goto(base + path);
    await opened;
    const begun = performance.now();
    const seen = await count(async () => {
      while (performance.now() - begun < 3000)
        await Promise.all(Array.from({ length: 8 }, () => post(url)));
    });
    const most = Math.ceil((performance.now() - begun) / 1000) + 1;
    assert(seen.length > 0, `${path} did not notice the changes`);
    assert(
      seen.length <= most,
      `${path} sent ${seen.length} requests, ${most} are allowed: ${seen.slice(-9).join(' ')}`,
    );
  }
}
