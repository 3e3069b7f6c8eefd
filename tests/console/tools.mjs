// What all checks of the console share: the browser with its page, and the API of the webhookd that
// they use.
import { mkdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export const [base, key, folder, hooks] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve('axe-core');
mkdirSync(folder, { recursive: true });
export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

/** `what` says what went wrong, for the case that `is` is false. */
export function assert(is, what) {
  if (!is) throw new Error(what);
}

export const context = await browser.newContext({
  viewport: { width: 1200, height: 800 },
  bypassCSP: false,
});
await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
export const page = await context.newPage();
page.setDefaultTimeout(20000);
export const wrong = [];
page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
page.on('dialog', (dialog) => {
  wrong.push(`a foreign script opened a dialog: ${dialog.message()}`);
  dialog.dismiss();
});
await page.route('http://localhost:8080/**', async (route) => {
  const answer = await post(route.request().url(), route.request().postData());
  await route.fulfill({ status: answer.status, body: await answer.text() });
});
page.on('request', (request) => {
  if (!request.url().startsWith(base) && !request.url().startsWith('http://localhost:8080/hooks/'))
    wrong.push(`the page sent a request to ${request.url()}`);
});
page.on('console', (message) => {
  if (message.type() === 'error' && /Content Security|Trusted/i.test(message.text()))
    wrong.push(message.text());
});

/** Calls `act` in each view of a page: light and dark, wide and narrow. */
export async function eachView(act, view = page) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      await view.emulateMedia({ colorScheme });
      await view.setViewportSize({ width, height: 800 });
      await act(`${colorScheme}-${width}`, colorScheme);
    }
  }
  await view.emulateMedia({ colorScheme: 'light' });
  await view.setViewportSize({ width: 1200, height: 800 });
}

/** The levels A and AA of WCAG 2.2, and what axe-core recommends beyond them. */
const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The rules whose outcome depends on colours: in the dark, the other ones find the same again. */
const colours = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

/** The violations that axe-core finds in a page as it is now. */
export async function axeFaults(colorScheme, view = page) {
  if (!(await view.evaluate(() => 'axe' in globalThis)))
    await view.evaluate(readFileSync(axe, 'utf8'));
  const { violations } = await view.evaluate(
    (runOnly) => globalThis.axe.run({ runOnly, resultTypes: ['violations'] }),
    colorScheme === 'dark' ? colours : levels,
  );
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`,
  );
}

/** Takes screenshots in each view, where axe must find nothing and the page must fit the window. */
export async function look(name) {
  await eachView(async (where, colorScheme) => {
    await page.screenshot({ path: `${folder}/${name}-${where}.png` });
    const faults = await axeFaults(colorScheme);
    assert(faults.length === 0, `${name}, ${where}: ${faults.join('\n')}`);
    const scrolls = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1,
    );
    assert(!scrolls, `${name}, ${where}: the page is wider than the window`);
  });
}

export const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
/** The URL at which this machine reaches the webhook: hooks.public_url differs from it. */
export const here = (url) => hooks + new URL(url).pathname + new URL(url).search;
export const post = (url, body = '{}') =>
  fetch(here(url), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-github-event': 'push' },
  });

/** Announces a body that is too large, but does not send it. */
export const postTooLarge = (url) =>
  new Promise((done, fail) => {
    const sent = httpRequest(
      here(url),
      { method: 'POST', headers: { 'content-length': 999999999, expect: '100-continue' } },
      (answer) => {
        done(answer.statusCode);
        sent.destroy();
      },
    );
    sent.on('error', fail);
    sent.flushHeaders();
  });

export const tab = (name) => page.click(`.tabs >> text="${name}"`);
export const answerDialog = (name) => page.click(`dialog >> button:has-text("${name}")`);
/** Starts the fleet whose page is open. */
export async function runNow() {
  await page.click('button:text-is("Run now")');
  await answerDialog('Run now');
}

/** @type {(method: string, path: string, body?: string) => Promise<any>} */
export async function api(method, path, body) {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    body,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/yaml' },
  });
  assert(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok || (await answer.text())}`);
  return (await answer.json()).data;
}

export const bashVessel = (name, ...lines) => `  ${name}:
    source:
      type: CODE
      language: BASH
      file_to_run: ${name}.sh
      file:
        name: ${name}.sh
        content: |
${lines.map((line) => `          ${line}\n`).join('')}`;

/** Applies a fleet file in the default project. */
export async function applyFleet(file) {
  const [org] = (await api('GET', '/orgs')).orgs;
  const [project] = (await api('GET', `/orgs/${org.id}/projects`)).projects;
  return (await api('PUT', `/projects/${project.id}/fleets`, file)).fleet;
}

/** Waits until a run has this status, for at most a minute. */
export async function untilRun(id, status) {
  for (let looks = 0; looks < 1200; looks++) {
    const run = await api('GET', `/fleetruns/${id}`);
    if (run.status === status) return run;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`run ${id} is not ${status}`);
}

/** The lines of the body that are in the page. */
export const bodyText = () =>
  page
    .locator('.output .said-line')
    .evaluateAll((lines) => lines.map((one) => one.textContent).join('\n'));
