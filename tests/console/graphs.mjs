// Checks of the graph on a fleet's Definition tab.
import { applyFleet, assert, base, bashVessel, look, page } from './tools.mjs';

const fleetOf = (name, vessels, connections) =>
  `name: ${name}\nvessels:\n${vessels.map((one) => bashVessel(one, 'true')).join('')}` +
  `connections: ${JSON.stringify(connections)}\n`;

const pipeline = fleetOf('Pipeline', ['checkout', 'lint', 'tests', 'build', 'scan', 'publish'], {
  checkout: { lint: 'SUCCESS', tests: 'SUCCESS', build: 'SUCCESS', publish: 'COMPLETED' },
  lint: { publish: 'SUCCESS' },
  tests: { publish: 'SUCCESS' },
  build: { scan: 'SUCCESS' },
  scan: { publish: 'ERRORED' },
});

/** Waits for the graph and returns what is wrong with it. */
async function faultsOf(fleet) {
  await page.goto(`${base}/fleets/${fleet.id}/definition`);
  await page.waitForSelector('.graph rect');
  return page.evaluate(() => {
    const faults = [];
    const boxes = [...document.querySelectorAll('.graph rect')].map((one) => one.getBBox());
    const isInside = (box, { x, y }) =>
      x > box.x + 1 && x < box.x + box.width - 1 && y > box.y + 1 && y < box.y + box.height - 1;
    for (const edge of document.querySelectorAll('.graph .edge')) {
      const length = edge.getTotalLength();
      for (let i = 0; i <= 400; i++) {
        const point = edge.getPointAtLength((length * i) / 400);
        if (boxes.some((box) => isInside(box, point))) {
          faults.push(`an edge runs through a box at ${point.x}, ${point.y}`);
          break;
        }
      }
    }
    const labels = [...document.querySelectorAll('.edge-word')].map((one) => one.getBBox());
    labels.forEach((a, i) =>
      labels.slice(i + 1).forEach((b) => {
        const isApart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + 9 <= b.y || b.y + 9 <= a.y;
        if (!isApart) faults.push('a label covers another one');
      }),
    );
    return faults;
  });
}

/** Edges pass beside the vessels that they skip, and labels do not cover each other. */
export async function graphOfAPipeline() {
  const faults = await faultsOf(await applyFleet(pipeline));
  assert(faults.length === 0, faults.join('\n'));
  const room = await page.evaluate(() => {
    const graph = document.querySelector('.graph');
    return graph.getBoundingClientRect().width <= graph.closest('.card').clientWidth;
  });
  assert(room, 'the graph is wider than the page has room');
  await look('definition-graph');
}

const steps = Array.from({ length: 14 }, (_, i) => `step ${i}`);

/** A graph with too many columns begins legible, and is moved and scaled. */
export async function graphTooWide() {
  const connections = Object.fromEntries(
    steps.slice(0, -1).map((name, i) => [name, { [steps[i + 1]]: 'SUCCESS' }]),
  );
  connections['step 0']['step 13'] = 'ERRORED';
  const faults = await faultsOf(await applyFleet(fleetOf('Steps', steps, connections)));
  assert(faults.length === 0, faults.join('\n'));
  const viewBox = () =>
    page.locator('.graph').evaluate((one) => one.getAttribute('viewBox').split(' ').map(Number));
  const first = await viewBox();
  await page.focus('.pan');
  await page.keyboard.press('ArrowRight');
  assert((await viewBox())[0] > first[0], 'the right arrow does not move the graph');
  await page.click('button:text-is("Fit")');
  assert((await viewBox())[2] > 2 * first[2], 'Fit does not show the whole graph');
  await page.click('button[aria-label="Larger"]');
  await look('definition-graph-wide');
}
