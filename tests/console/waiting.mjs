// Checks that the page of a run says what the run waits for.
import { api, applyFleet, base, bashVessel, page, untilRun } from './tools.mjs';

/** The fleet's own bound, a runner that is off, busy vessels, and the other runs. */
export async function waiting() {
  const fleet = await applyFleet(
    `name: Waiting\nvessels:\n${bashVessel('main', 'exec sleep 1000')}max_concurrent_runs: 1\n`,
  );
  const start = () => api('POST', `/fleets/${fleet.id}/fleetruns`);
  const running = await start();
  await untilRun(running.id, 'running');
  const next = await start();
  const says = (text) =>
    page.waitForSelector(`[role=status] >> text=This fleet run waits: ${text}`);
  await page.goto(`${base}/runs/${next.id}`);
  await says('1 run of this fleet is running, and max_concurrent_runs is 1.');

  const changes = (change) => async (route) => {
    const answer = await route.fetch();
    const envelope = await answer.json();
    change(envelope.data);
    await route.fulfill({ response: answer, json: envelope });
  };
  const withStatus = async (change, text) => {
    const handler = changes(change);
    await page.route('**/api/v1/status', handler);
    await page.reload();
    await says(text);
    await page.unroute('**/api/v1/status', handler);
  };
  await withStatus((status) => {
    status.runner.enabled = false;
  }, 'the runner is off (runner.enabled).');

  const notFull = changes((one) => {
    one.running = 0;
  });
  await page.route(`**/api/v1/fleets/${fleet.id}`, notFull);
  await withStatus((status) => {
    Object.assign(status.runner, { max_vessels: 3, running_vessels: 3 });
  }, '3 vessels are running, as many as runner.max_vessels allows.');
  await withStatus((status) => {
    Object.assign(status.runner, { max_vessels: 0, running_vessels: 8 });
    status.counts.runs_scheduled = 2;
  }, '2 runs are scheduled, and 8 vessels are running.');
  await page.unroute(`**/api/v1/fleets/${fleet.id}`, notFull);

  await api('POST', `/fleetruns/${running.id}/stop`);
  await page.waitForSelector('.facts .status.running');
  await page.waitForSelector('text=This fleet run waits', { state: 'hidden' });
  await api('POST', `/fleetruns/${next.id}/stop`);
  await untilRun(next.id, 'terminated');
}
