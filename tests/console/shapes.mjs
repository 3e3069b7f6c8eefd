// Checks that no status depends on its colour, and that outlines can be seen.
import {
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  folder,
  look,
  page,
  untilRun,
} from './tools.mjs';

/** Every status has a shape of its own; a scheduled run does not look like no run. */
export async function statusesByShape() {
  const script = ['test -s "$SHIPYARD_WEBHOOK_BODY_FILE" && exit 1', 'exec sleep 1000'];
  const fleet = await applyFleet(
    `name: Shapes\nvessels:\n${bashVessel('main', ...script)}max_concurrent_runs: 1\n`,
  );
  const start = () => api('POST', `/fleets/${fleet.id}/fleetruns`);
  const stopped = await start();
  await untilRun(stopped.id, 'running');
  await api('POST', `/fleetruns/${stopped.id}/stop`);
  await untilRun(stopped.id, 'terminated');
  const errored = await api('POST', `/fleets/${fleet.id}/fleetruns`, 'x');
  await untilRun(errored.id, 'errored');
  const running = await start();
  await untilRun(running.id, 'running');
  const waiting = await start();
  await page.goto(`${base}/`);
  const row = page.locator('tr:has(a:text-is("Shapes"))');
  await row.locator('.outcome.scheduled').waitFor();
  for (const forcedColors of ['none', 'active']) {
    await page.emulateMedia({ forcedColors });
    const shapes = await row.locator('.outcome').evaluateAll((all) =>
      all.map((one) => {
        const path = one.querySelector('path');
        const style = path && getComputedStyle(path);
        return path && `${path.getAttribute('d')} ${style.stroke !== 'none' && style.opacity > 0}`;
      }),
    );
    assert(shapes.length === 8, `${shapes.length} marks instead of 8`);
    assert(new Set(shapes).size === 5, `the marks are not five shapes: ${shapes.join('; ')}`);
    assert(
      shapes.every((one) => one?.endsWith('true')),
      `a mark is invisible: ${shapes.join('; ')}`,
    );
  }
  await page.screenshot({ path: `${folder}/fleets-forced.png` });
  await page.click('a:text-is("Shapes")');
  await page.waitForSelector('.bars a');
  const kinds = await page
    .locator('.bars a path')
    .evaluateAll((all) => new Set(all.map((one) => one.getAttribute('d'))).size);
  assert(kinds === 4, `the bars have ${kinds} different marks instead of 4`);
  await page.emulateMedia({ forcedColors: 'none' });
  await page.goto(`${base}/runs/${running.id}`);
  await page.waitForSelector('.gantt .mark.running');
  for (const { id } of [running, waiting]) await api('POST', `/fleetruns/${id}/stop`);
  await untilRun(waiting.id, 'terminated');
}

/** The borders of fields, buttons and boxes have a contrast of at least 3:1 (WCAG 1.4.11). */
export async function outlines() {
  const fleet = await applyFleet(`name: Outlines\nvessels:\n${bashVessel('main', 'true')}`);
  await page.goto(`${base}/fleets/${fleet.id}/definition`);
  await page.waitForSelector('.graph rect');
  await page.click('button:text-is("Edit")');
  await page.waitForSelector('.actions');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const faint = await page.evaluate(() => {
      const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
      const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((part) =>
          part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
        );
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element) => {
        for (let one = element.parentElement; one; one = one.parentElement) {
          const colour = getComputedStyle(one).backgroundColor;
          if (numbers(colour)[3] !== 0) return colour;
        }
        return 'rgb(255 255 255)';
      };
      const ratio = (a, b) => {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
      };
      const found = [...document.querySelectorAll('button, select, .editor, .graph .vessel')];
      return found
        .map((one) => {
          const style = getComputedStyle(one);
          const line = one.matches('.vessel') ? style.stroke : style.borderTopColor;
          return [one.outerHTML.slice(0, 60), ratio(line, behind(one))];
        })
        .filter(([, value]) => value < 3);
    });
    assert(faint.length === 0, `${colorScheme}: ${faint.join('; ')}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await look('definition-edit');
}
