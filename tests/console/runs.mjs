// Checks of the page of a fleet run.
import {
  answerDialog,
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  look,
  page,
  untilRun,
} from './tools.mjs';

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

const newer = (path) => page.waitForSelector(`a[href="${path}"]:text-is("‹ Newer")`);
const older = (path) => page.waitForSelector(`a[href="${path}"]:text-is("Older ›")`);
const noNewer = () => page.waitForSelector('a[aria-disabled]:not([href]):text-is("‹ Newer")');
const noOlder = () => page.waitForSelector('a[aria-disabled]:not([href]):text-is("Older ›")');

/** Starts a run of a fleet that ends with this status, and returns its id. */
async function runThatEnds(status) {
  const script = status === 'success' ? 'true' : 'false';
  const fleet = await applyFleet(`name: Steps\nvessels:\n${bashVessel('main', script)}`);
  const { id } = await api('POST', `/fleets/${fleet.id}/fleetruns`);
  await untilRun(id, status);
  return id;
}

/** A run leads to the next ones of the list that the reader came from, also to one that is new. */
export async function steps() {
  const ids = [];
  for (const status of ['success', 'errored', 'success', 'errored'])
    ids.push(await runThatEnds(status));
  const { fleet_id: fleetId } = await api('GET', `/fleetruns/${ids[0]}`);
  const asked = [];
  const note = (request) => {
    const found = /fleetruns[?].*(after|before)=/.exec(request.url());
    if (found) asked.push(found[1]);
  };
  page.on('request', note);
  await page.goto(`${base}/fleets/${fleetId}`);
  await page.waitForSelector(`tr a[href="/runs/${ids[3]}"]`);
  await page.selectOption('select[aria-label=Status]', 'errored');
  await page.click(`tr a[href="/runs/${ids[1]}?status=errored"]`);
  await newer(`/runs/${ids[3]}?status=errored`);
  await noOlder();
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.setViewportSize({ width: 1200, height: 800 });
  await look('steps');
  assert(asked.sort().join() === 'after,before', `the page asked ${asked.join()}`);

  await page.click('td a:text-is("main")');
  await page.waitForSelector('.crumbs');
  assert(page.url().endsWith('?status=errored'), 'the page of a vessel has lost the filter');
  await page.click(`.crumbs a[href="/runs/${ids[1]}?status=errored"]`);
  await page.click('a[href]:text-is("‹ Newer")');
  await older(`/runs/${ids[1]}?status=errored`);
  await noNewer();
  asked.length = 0;
  await runThatEnds('success');
  const failed = await runThatEnds('errored');
  await newer(`/runs/${failed}?status=errored`);
  assert(asked.length === 0, 'the stream of events was not enough');

  await page.goto(`${base}/runs/${ids[1]}/parameters`);
  await newer(`/runs/${ids[2]}/parameters`);
  await page.click('a[href]:text-is("Older ›")');
  await newer(`/runs/${ids[1]}/parameters`);
  await noOlder();
  assert(page.url() === `${base}/runs/${ids[0]}/parameters`, `the address is ${page.url()}`);

  await page.goto(`${base}/runs/${failed}?trigger=api&since=1d&status=none`);
  await noNewer();
  const last = await runThatEnds('success');
  await newer(`/runs/${last}?trigger=api&since=1d`);
  page.off('request', note);
}
