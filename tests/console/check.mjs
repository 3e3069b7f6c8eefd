// Uses the console in a real browser as a person would. tests/system/test_console.c runs this:
//
//     node check.mjs URL KEY FOLDER HOOKS_URL
//
// Writes screenshots to FOLDER. If a check fails, prints why and exits with status 1. The checks
// below continue where the one before ended; those in other files stand alone, and
// CONSOLE_CHECK=name runs only that one.
import { readFileSync, statSync } from 'node:fs';
import * as accessibility from './accessibility.mjs';
import * as audits from './audit.mjs';
import * as bodyChecks from './bodies.mjs';
import * as credentials from './credentials.mjs';
import * as graphs from './graphs.mjs';
import * as histories from './history.mjs';
import * as keyChecks from './keys.mjs';
import * as machines from './machine.mjs';
import * as outputs from './outputs.mjs';
import * as pages from './pages.mjs';
import * as requests from './requests.mjs';
import * as runs from './runs.mjs';
import * as shapes from './shapes.mjs';
import * as starting from './starting.mjs';
import * as texts from './text.mjs';
import * as triggering from './triggering.mjs';
import * as waits from './waiting.mjs';
import * as widths from './widths.mjs';
import {
  answerDialog,
  api,
  applyFleet,
  assert,
  base,
  bashVessel,
  bodyText,
  browser,
  clipboard,
  context,
  folder,
  here,
  key,
  look,
  page,
  post,
  postTooLarge,
  runNow,
  tab,
  wrong,
} from './tools.mjs';

async function signIn() {
  await page.goto(`${base}/`);
  await page.fill('#key', 'wha_000000000000000000000000000000000000');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]:not([hidden])');
  await look('sign-in');
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('table');
  const cookies = await context.cookies();
  assert(
    cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === 'Strict',
    'the session cookie is not as expected',
  );
  assert((await page.evaluate(() => document.cookie)) === '', 'scripts can read the cookie');
}

async function webhook() {
  await page.click('a:has-text("Site")');
  await tab('Triggers');
  await page.waitForSelector('text=No webhook yet');
  await look('triggers-none');
  await page.click('button:has-text("Add webhook")');
  await page.click('button:text-is("Copy")');
  await page.waitForSelector('text=Copied');
  const first = await clipboard();
  assert((await post(first)).status === 201, 'the copied URL does not work');
  assert(!(await page.textContent('main')).includes(first.slice(-20)), 'the full URL is shown');

  await page.click('button:has-text("Replace")');
  await answerDialog('Cancel');
  assert(
    (await page.evaluate(() => document.activeElement.textContent)) === 'Replace',
    'the focus did not return after the dialog',
  );
  assert((await post(first)).status === 201, 'the webhook was replaced in spite of Cancel');
  await page.click('button:has-text("Replace")');
  await answerDialog('Replace');
  await page.waitForSelector('text=the old URL no longer works');
  await page.click('button:text-is("Copy")');
  await page.waitForFunction(
    (old) => navigator.clipboard.readText().then((text) => text !== old),
    first,
  );
  const second = await clipboard();
  assert((await post(first)).status === 400, 'the old URL still works');
  assert((await post(second)).status === 201, 'the new URL does not work');
  await page.waitForSelector(
    'text=/Last request .* · 201 · [0-9.]+ ms · 127.0.0.1 · 3 accepted today, 0 refused/',
  );
  assert((await postTooLarge(second)) === 413, 'a body that is too large was accepted');
  await page.waitForSelector(
    'text=/Last request .* · 413 body too large · .* · 3 accepted today, 1 refused/',
  ); /* without a reload */
  await look('triggers');
  await page.click('button:has-text("Send test request")');
  await answerDialog('Send');
  await page.waitForSelector('.gantt');
  await tab('Webhook parameters');
  await page.waitForSelector('.output:has-text("\\"test\\": true")');
  await page.goBack();
  await page.goBack();
  return second;
}

/** The answer of a webhookd without its secret.key; then the key is back. */
async function sealedWebhook() {
  const message = 'secret.key is missing from the state folder';
  const refuse = (route) =>
    route.fulfill({ status: 503, json: { data: null, error: { message } } });
  await page.route('**/webhook?*', refuse);
  await page.reload();
  await page.waitForSelector(`.card .problem:text-is("${message}")`);
  await page.waitForSelector('h1:text-is("Site")');
  await page.unroute('**/webhook?*', refuse);
  await page.waitForSelector('button:text-is("Replace")'); // without a reload
  assert((await page.locator('.problem').count()) === 0, 'the problem is still shown');
}

async function liveRuns(url) {
  await tab('Logs');
  const [fleet] = new URL(page.url()).pathname.match(/^\/fleets\/[^/]+/);
  const { fleetruns } = await api('GET', `${fleet}/fleetruns`);
  const before = fleetruns.length; // the newest may still be on its way to the page
  await page.waitForFunction(
    (count) => document.querySelectorAll('tbody tr').length === count,
    before,
  );
  const { data } = await (
    await post(
      url,
      JSON.stringify({ hostile: '<img src=x onerror=alert(1)>', deep: { n: [1, 2] } }),
    )
  ).json();
  const row = page.locator(`tbody tr:has(a[href="/runs/${data.fleet_run_id}"])`);
  await row.waitFor();
  assert((await page.locator('tbody tr').count()) === before + 1, 'there are more rows than runs');
  await row.locator('.status.success').waitFor();
  await look('logs');
  await row.locator('a').click();
  await page.waitForSelector('text=Overview');
  await page.waitForSelector('.gantt');
  await look('run');
  return data.fleet_run_id;
}

async function runWithBody() {
  await page.goto(`${base}/`);
  await page.click('a:has-text("Site")');
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.click('button:text-is("Run with body…")');
  await page.waitForSelector('dialog[open] textarea:focus');
  await look('run-with-body');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert((await focused()) === 'Run with body…', 'the focus did not return after the dialog');
  await page.click('button:text-is("Run with body…")');
  await page.fill('dialog textarea', '{"by": "hand"}');
  await page.fill('dialog [aria-label="Content type"]', 'a\u0000b');
  await answerDialog('Run now');
  await page.waitForSelector('dialog [role=alert]:not([hidden])');
  await page.fill('dialog [aria-label="Content type"]', 'application/json');
  await answerDialog('Run now');
  await page.waitForSelector('.gantt');
  await tab('Webhook parameters');
  await page.waitForSelector('.output:has-text("\\"by\\": \\"hand\\"")');
}

async function bodies(url, run) {
  await page.goto(`${base}/runs/${run}`);
  await tab('Webhook parameters');
  await page.waitForSelector('.output:has-text("onerror=alert")');
  assert((await bodyText()).includes('"deep": {\n'), 'JSON is not indented');
  await look('parameters');
  await page.click('button:text-is("Hex")');
  assert((await bodyText()).startsWith('00000000  7b 22'), 'the hex view is not as expected');
  await page.click('button:has-text("Copy as curl")');
  await page.waitForFunction(() =>
    navigator.clipboard.readText().then((text) => text.startsWith('curl ')),
  );
  const odd = await (await post(url, '{"id":12345678901234567890,"a":1.0,"a":[],"o":{}}')).json();
  await page.goto(`${base}/runs/${odd.data.fleet_run_id}/parameters`);
  await page.waitForSelector('.output:has-text("12345678901234567890")');
  assert(
    (await bodyText()) ===
      '{\n  "id": 12345678901234567890,\n  "a": 1.0,\n  "a": [],\n  "o": {}\n}',
    `JSON is shown as ${await bodyText()}`,
  );
  const file = await (await post(url, '@/etc/hostname')).json();
  await page.goto(`${base}/runs/${file.data.fleet_run_id}/parameters`);
  await page.click('button:has-text("Copy as curl")');
  await page.waitForFunction(() =>
    navigator.clipboard.readText().then((text) => text.includes('@/etc/hostname')),
  );
  assert((await clipboard()).includes("--data-raw '@/etc/hostname'"), 'curl would send a file');
  const { data } = await (
    await fetch(here(url), { method: 'POST', body: new Uint8Array([0, 255, 1, 254]) })
  ).json();
  await page.goto(`${base}/runs/${data.fleet_run_id}/parameters`);
  await page.waitForSelector('.output:has-text("00 ff 01 fe")');
  assert((await page.locator('button:text-is("JSON")').count()) === 0, 'binary is shown as JSON');
  await page.goto(`${base}/runs/${run}`);
}

async function output() {
  await page.click('td >> a:has-text("main")');
  await page.waitForSelector('.line:has-text("<script>alert(1)</script>")');
  await page.waitForSelector('.fore-2:text-is("green")');
  const palette = page.locator('.fore.back.bold:text-is("palette")');
  assert(
    (await palette.evaluate((one) =>
      [one.style.getPropertyValue('--fore'), one.style.getPropertyValue('--back-of')].join(),
    )) === 'rgb(255 0 0),rgb(0 0 120)',
    'the palette colours are not as expected',
  );
  await page.waitForSelector('.fore-back.back-text:has-text("turned")');
  await page.fill('input[type=search]', 'green');
  await page.waitForSelector('.line.hit.current');
  await look('vessel');
  const [field, told] = [
    page.locator('input[type=search]'),
    (text) => page.waitForSelector(`[role=status]:text-is("${text}")`),
  ];
  await field.fill('e');
  const hits = await page.locator('.line.hit').count();
  assert(hits > 1, 'there are too few matches to step through');
  await told(`match 1 of ${hits}`);
  await field.press('Enter');
  await told(`match 2 of ${hits}`);
  await field.press('Shift+Enter');
  await field.press('Shift+Enter');
  await told(`match ${hits} of ${hits}`);
  await field.press('Enter');
  await told(`match 1 of ${hits}`);
  assert((await page.locator('.line.current').count()) === 1, 'there is not one current line');
  await field.fill('no such words');
  await told('no matches');
  await field.fill('');
}

async function liveOutput() {
  await page.goto(`${base}/`);
  await page.click('a:has-text("Slow")');
  await runNow();
  await page.waitForSelector('.status.running');
  await page.click('td >> a:has-text("main")');
  await page.waitForSelector('.line:has-text("begun")');
  await page.waitForSelector('.line:has-text("20%")'); /* unterminated, after a carriage return */
  assert((await page.locator('.line:has-text("10%")').count()) === 0, 'overwritten text is shown');
  await hiddenTab();
  const vesselPage = page.url();
  const news = (route) => route.abort('connectionrefused');
  await page.route('**/log?*', news);
  await page.goto(vesselPage);
  await page.waitForSelector('#away >> text=No connection to webhookd since');
  await page.unroute('**/log?*', news);
  await page.waitForSelector('#away:empty', { state: 'attached' });
  await page.waitForSelector('.line:has-text("20%")');
  await page.focus('button:text-is("Stop fleet run")');
  await page.waitForTimeout(2500); /* the facts are updated each second */
  assert(
    (await page.evaluate(() => document.activeElement.textContent)) === 'Stop fleet run',
    'an update of a running vessel took the focus',
  );
  await page.click('.crumbs >> a:has-text("Run")');
  await page.click('button:text-is("Stop")');
  await page.waitForSelector('.facts .status.terminated');
  await page.click('button:has-text("Run again")');
  await answerDialog('Run again');
  await page.waitForSelector('.facts .status.running');
  await page.click('button:text-is("Stop")');
  await page.waitForSelector('.facts .status.terminated');
}

/** keyed() builds, updates, moves and removes the right children. */
async function keyedChildren() {
  const seen = await page.evaluate(async () => {
    const { h, keyed, show } = await import('/console/dom.js');
    const list = h('ul');
    const done = [];
    const draw = (...items) => {
      done.length = 0;
      keyed(
        list,
        items,
        (item) => item.id,
        (item) => {
          done.push(`build ${item.id}`);
          return h('li');
        },
        (element, item) => {
          done.push(`update ${item.id}`);
          show(element, item.of.join());
        },
      );
      return [list.textContent, ...done].join('; ');
    };
    const first = draw({ id: 'a', of: [1] }, { id: 'b', of: [2] });
    const [a, b] = list.children;
    const equal = draw({ id: 'a', of: [1] }, { id: 'b', of: [2] });
    const changed = draw({ id: 'c', of: [4] }, { id: 'b', of: [2, 3] });
    const isKept = b === list.children[1] && !a.isConnected && !list.contains(a);
    list.append('a stray');
    const moved = draw({ id: 'b', of: [2, 3] }, { id: 'c', of: [4] });
    return { first, equal, changed, isKept, moved, none: draw() };
  });
  const expected = {
    first: '12; build a; update a; build b; update b',
    equal: '12',
    changed: '42,3; build c; update c; update b',
    isKept: true,
    moved: '2,34',
    none: '',
  };
  assert(JSON.stringify(seen) === JSON.stringify(expected), `keyed(): ${JSON.stringify(seen)}`);
}

/** A list that is redrawn keeps its rows, the focus and the selection. */
async function keptInPlace() {
  await page.goto(`${base}/`);
  await page.click('a:text-is("Slow")');
  await runNow();
  await page.waitForSelector('td >> .status.running');
  const mark = () =>
    page.evaluate(() => {
      for (const one of document.querySelectorAll('tbody tr, .gantt g, .bars a')) one.isOld = true;
    });
  const isKept = (selector) =>
    page.evaluate((wanted) => document.querySelector(wanted).isOld === true, selector);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await mark();
  await page.focus('td >> a:text-is("main")');
  await page.evaluate(() =>
    getSelection().selectAllChildren(document.querySelector('.facts > :nth-child(2)')),
  );
  const { pathname } = new URL(page.url());
  await page.waitForFunction(() => /[3-9].* s/.test(document.querySelector('.gantt').textContent));
  const stop = `/api/v1/fleet${pathname.slice(1)}/stop`;
  assert(await page.evaluate((to) => fetch(to, { method: 'POST' }).then((one) => one.ok), stop));
  await page.waitForSelector('td >> .status.terminated');
  assert(await isKept('tbody tr'), 'a row of the vessels was replaced');
  assert(await isKept('.gantt g'), 'a bar was replaced');
  assert((await focused()) === 'main', 'a vessel that ended took the focus');
  const selected = await page.evaluate(() => getSelection().toString());
  assert(selected === 'on demand', `the selection has changed to "${selected}"`);

  await page.click('.crumbs >> a:text-is("Slow")');
  await page.waitForSelector('.bars a'); // the page of the run has a table as well
  await page.waitForSelector('tbody tr .id');
  await mark();
  await page.focus('tbody tr:first-child .id');
  await page.evaluate(
    (path) => fetch(`/api/v1/fleet${path.slice(1)}/again`, { method: 'POST' }),
    pathname,
  );
  const running = page.locator('tbody tr:has(.status.running)');
  await running.waitFor();
  assert(await isKept('tbody tr:nth-child(2)'), 'a newer run replaced a row');
  assert(await isKept('.bars a:first-of-type'), 'a newer run replaced a bar');
  const copies = await page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  assert(copies === `Copy ID ${pathname.slice(6)}`, 'a new run took the focus');
  await running.locator('a').first().click();
  await page.click('button:text-is("Stop")');
  await page.waitForSelector('.facts .status.terminated');
}

const hide = (is) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, is);

/** Output with more lines than the page contains at a time. */
async function longOutput() {
  await page.goto(`${base}/`);
  await page.click('a:has-text("Long")');
  await runNow();
  await page.waitForSelector('.facts .status.success');
  await page.click('td >> a:has-text("main")');
  const inSight = (text) =>
    page.waitForFunction((wanted) => {
      const box = document.querySelector('.output')?.getBoundingClientRect();
      if (!box) return false;
      return [...document.querySelectorAll('.line')].some(
        (line) =>
          line.lastChild.textContent === wanted &&
          line.getBoundingClientRect().top >= box.top - 1 &&
          line.getBoundingClientRect().bottom <= box.bottom + 1,
      );
    }, text);
  await inSight('line 1.');
  await page.locator('#follow').check();
  await inSight('line 30000.');
  assert((await page.locator('.line').count()) < 5000, 'the page contains all lines');
  const [field, told] = [
    page.locator('input[type=search]'),
    (text) => page.waitForSelector(`[role=status]:text-is("${text}")`),
  ];
  await field.fill('line 37.');
  await told('match 1 of 1');
  await inSight('line 37.');
  assert((await page.textContent('.line.current > .n')) === '37', 'the line number is wrong');
  assert(
    (await page.locator('.line.current .fore-1').count()) === 1,
    'a colour that was set much earlier is lost',
  );
  await field.fill('0000.');
  await told('match 1 of 3');
  await field.press('Shift+Enter');
  await inSight('line 30000.');
  await page.locator('.output').evaluate((box) => {
    box.scrollTop = box.scrollHeight / 2;
  });
  await inSight('line 15010.');
  assert(!(await page.locator('#follow').isChecked()), 'scrolling up did not stop following');
  await field.fill('');
  await page.locator('#follow').check();
  await inSight('line 30000.');
  await page.locator('#wrap').check();
  await inSight('line 30000.');
  assert(await page.locator('#follow').isChecked(), 'wrapping lines stopped following');
}

async function runFleet(name, status = 'success') {
  await page.goto(`${base}/`);
  await page.click(`a:text-is("${name}")`);
  await runNow();
  if (status) await page.waitForSelector(`.facts .status.${status}`);
  await page.click('td >> a:has-text("main")');
}

/** Output that would be too high for a page in a browser. */
async function tooManyLines() {
  await runFleet('Many');
  await page.waitForSelector('text=/The first [0-9]+ of 700001 lines are not shown/');
  await page.locator('#follow').check();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.line')].some(
      (line) =>
        line.textContent === '700001last' &&
        line.getBoundingClientRect().bottom <=
          document.querySelector('.output').getBoundingClientRect().bottom,
    ),
  );
  await page.waitForSelector('text=/The first [0-9]+ of 700001 lines are not shown/');
  assert((await page.locator('.line').count()) < 5000, 'the page contains too many lines');
}

async function oddLines() {
  await runFleet('Odd');
  const line = (text) => page.locator(`.line:has-text("${text}")`);
  await line('cut \ufffd').waitFor();
  assert(
    (await line('green.').locator('.n').textContent()) === '3',
    'a line after a long one has the wrong number',
  );
  assert(
    (await line('green.').locator('.fore-2').textContent()) === 'green',
    'a colour set in overwritten text is lost',
  );
  assert((await page.locator('.line').count()) === 6, 'the long line was not split into three');
}

/** The attempt that the page follows ends while the page is hidden. */
async function hiddenOverARetry() {
  await runFleet('Tries', null);
  await page.waitForSelector('.line:has-text("first")');
  await hide(true);
  await page.waitForSelector('button[aria-pressed=true]:text-is("2")');
  await hide(false);
  await page.waitForSelector('.line:has-text("second 3")');
  await page.waitForSelector('.facts .status.success');
  assert(
    (await page.locator('.output').textContent()) === '1second 12second 23second 3',
    `the output is ${await page.locator('.output').textContent()}`,
  );
  await page.click('.card button:text-is("1")');
  await page.waitForSelector('.line:has-text("first")');
  assert(
    (await page.evaluate(() => document.activeElement.textContent)) === '1',
    'the button of an attempt lost the focus',
  );
  assert(
    (await page.locator('.output').textContent()) === '1first',
    'the output of two attempts is mixed',
  );
}

/** A hidden page does not read the stream, and continues where it stopped once it is visible. */
async function hiddenTab() {
  const asked = page.waitForRequest((one) => /log\?attempt=1&follow=1&from=13$/.test(one.url()));
  await hide(true);
  await hide(false);
  await asked;
  await page.waitForSelector('.line:has-text("20%")');
  assert(
    (await page.locator('.output').textContent()) === '1begun220%',
    `the output is ${await page.locator('.output').textContent()}`,
  );
}

const kept = 'Its runs and their output are kept until their retention time has passed.';

async function definitions() {
  await page.goto(`${base}/`);
  await page.click('a:has-text("New fleet")');
  await page.waitForSelector('h1:text-is("New fleet")');
  const area = page.locator('.editor textarea');
  const file = await area.inputValue();
  await area.fill(file.replace('language: BASH', 'language: COBOL'));
  await page.click('button:text-is("Apply")');
  await page.waitForSelector('.numbers .bad');
  await page.waitForSelector('[role=alert] >> text=nothing was changed');
  await look('new-fleet-errors');
  await page.click('.problem button');
  assert(
    (await page.evaluate(() => document.activeElement.tagName)) === 'TEXTAREA',
    'the error button does not go to its line',
  );
  await area.fill(file.replace('My fleet', 'Two'));
  await page.click('button:text-is("Check")');
  await page.waitForSelector('text=nothing was changed');
  await page.click('button:text-is("Apply")');
  await page.waitForSelector('h1:text-is("Two")');
  await tab('Definition');
  await page.waitForSelector('.graph rect');
  await page.click('button:text-is("Edit")');
  await area.fill(
    [
      `${file.replace('My fleet', 'Two')}  second:`,
      '    source:',
      '      type: CODE',
      '      language: PYTHON',
      '      file_to_run: a.py',
      "      file: { name: a.py, content: 'print(2)' }",
      'connections: { hello: { second: SUCCESS } }',
      '',
    ].join('\n'),
  );
  await page.click('button:text-is("Apply")');
  await page.waitForSelector('.graph .vessel-name:text-is("second")');
  assert((await page.locator('.graph rect').count()) === 2, 'the graph does not have two vessels');
  await page.selectOption('[aria-label="Compare with"]', '1');
  await page.waitForSelector('.diff .added:has-text("second")');
  assert((await page.locator('.diff .removed').count()) === 0, 'lines are shown as removed');
  await look('definition');
  await page.selectOption('[aria-label="Compare with"]', '');
  await page.selectOption('[aria-label="Version"]', '1');
  await page.click('button:has-text("Go back to v1")');
  const applying = page.waitForRequest((request) => request.method() === 'PUT');
  await answerDialog('Go back');
  assert(
    /\?from_fleet=[-0-9a-f]{36}&from_version=1$/.test((await applying).url()),
    'going back does not ask for the hidden values of v1',
  );
  await page.waitForFunction(() => document.querySelector('[aria-label="Version"]')?.value === '3');
  assert((await page.locator('.graph rect').count()) === 1, 'the old version was not applied');
  const deleted = page.url();
  await page.click('button:text-is("Delete fleet")');
  await page.waitForSelector(`dialog >> text=${kept}`);
  await answerDialog('Delete');
  await page.waitForSelector('h1:text-is("Fleets")');
  await page.waitForSelector('a:has-text("Site")');
  assert(
    (await page.locator('a:text-is("Two")').count()) === 0,
    'the deleted fleet is still listed',
  );
  await page.goto(deleted);
  await page.waitForSelector(`text=It may have been deleted. ${kept}`);
}

/** A new fleet whose name is taken becomes a version of the existing fleet only if confirmed. */
async function takenName() {
  await page.goto(`${base}/fleets/new`);
  const area = page.locator('.editor textarea');
  await area.fill((await area.inputValue()).replace('My fleet', 'Slow'));
  await page.click('button:text-is("Apply")');
  await page.waitForSelector('dialog >> text=There is already a fleet “Slow”');
  await page.waitForSelector('dialog >> text=creates v2 of it');
  await look('new-fleet-taken');
  await answerDialog('Cancel');
  await page.waitForSelector('h1:text-is("New fleet")');
  await page.click('header >> text=Fleets');
  await answerDialog('Leave');
  await page.click('a:has-text("Slow")');
  await tab('Definition');
  await page.waitForSelector('.graph rect');
  assert(
    (await page.locator('[aria-label="Version"] option').count()) === 1,
    'the file was applied in spite of Cancel',
  );
}

/** The same applies to a fleet whose name is changed to that of another. */
async function otherName() {
  await page.goto(`${base}/`);
  await page.click('a:text-is("Slow")');
  await tab('Definition');
  await page.click('button:text-is("Edit")');
  const area = page.locator('.editor textarea');
  await area.fill((await area.inputValue()).replace('Slow', 'Long'));
  await page.click('button:text-is("Apply")');
  await page.waitForSelector('dialog >> text=This file belongs to the fleet “Long”');
  await answerDialog('Cancel');
  await page.evaluate(() => history.back());
  await answerDialog('Leave');
  await page.waitForSelector('tbody tr');
}

async function noSuchPage() {
  await page.goto(`${base}/flets`);
  await page.waitForSelector('h1:text-is("Page not found")');
  await page.goto(`${base}/runs/`);
  await page.waitForSelector('h1:text-is("Fleet runs")');
}

/** Unsaved text is kept when the session ends. */
async function signInAgain() {
  await page.goto(`${base}/fleets/new`);
  const area = page.locator('.editor textarea');
  await area.fill('name: half');
  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
  await page.click('button:text-is("Check")');
  await page.waitForSelector('dialog #key');
  await look('sign-in-again');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Escape');
  await page.waitForSelector('dialog[open] #key');
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert((await area.inputValue()) === 'name: half', 'unsaved text was lost');
  await page.click('button:text-is("Check")');
  await page.waitForSelector('[role=alert] >> text=nothing was changed');
  await page.click('header >> text=Fleets');
  await answerDialog('Leave');
  await page.waitForSelector('h1:text-is("Fleets")');
}

/** A page that only follows events must not wait until its stream could be opened again. */
async function idlePageSignsOut() {
  await page.goto(`${base}/`);
  await page.waitForSelector('table');
  const others = /\/api\/v1\/(events|status)/;
  await page.route(others, (route) => route.abort());
  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
  await page.waitForSelector('#key');
  await page.unroute(others);
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('table');
}

/** A page that is left while it loads must not appear over the next one. */
async function leftEarly(run) {
  await page.goto(`${base}/runs/${run}`);
  await page.waitForSelector('.gantt');
  await page.route('**/api/v1/fleetruns/*', async (route) => {
    await new Promise((done) => setTimeout(done, 700));
    await route.continue().catch(() => {});
  });
  await page.click('td >> a:has-text("main")');
  await page.click('header >> text=Fleets');
  await page.waitForSelector('h1:text-is("Fleets")');
  await page.waitForTimeout(1500);
  assert(
    (await page.textContent('h1')) === 'Fleets' && new URL(page.url()).pathname === '/',
    'a page that was left appeared again',
  );
  await page.unroute('**/api/v1/fleetruns/*');
}

async function unsaved() {
  await page.goto(`${base}/`);
  await page.click('a:has-text("New fleet")');
  await page.locator('.editor textarea').fill('name: half');
  await page.evaluate(() => history.back());
  await answerDialog('Cancel');
  assert(page.url() === `${base}/fleets/new`, 'the address belongs to another page');
  await page.click('header >> text=Runs');
  await answerDialog('Cancel');
  assert(
    (await page.locator('.editor textarea').inputValue()) === 'name: half',
    'unsaved text was lost',
  );
  await page.click('header >> text=Runs');
  await answerDialog('Leave');
  await page.waitForSelector('h1:text-is("Fleet runs")');
}

async function otherTab() {
  const other = await context.newPage();
  await other.goto(`${base}/runs`);
  await other.waitForSelector('h1:text-is("Fleet runs")');
  await page.goto(`${base}/`);
  await page.click('button:has-text("Sign out")');
  await other.waitForSelector('#key');
  await page.fill('#key', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:text-is("Fleets")');
  await other.waitForSelector('h1:text-is("Fleet runs")');
  await other.close();
}

async function lookedFor(run) {
  await page.goto(`${base}/runs?status=nonsense`);
  await page.waitForSelector('tbody tr');
  assert(
    (await page.locator('[aria-label=Status]').inputValue()) === '',
    'an unknown status became a filter',
  );
  await page.selectOption('[aria-label=Status]', 'success');
  await page.selectOption('[aria-label=Since]', '1h');
  await page.fill('[type=search]', run);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  const sought = `${base}/runs?status=success&since=1h&id=${run}`;
  assert(page.url() === sought, 'the filters are not in the address');
  await page.click('tbody a');
  await page.waitForSelector('.gantt');
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert(
    page.url() === sought && (await page.inputValue('[type=search]')) === run,
    'the filters are gone after a visit to the run',
  );
}

/** The connection to webhookd is lost and returns. */
async function away() {
  const news = (route) => route.abort('connectionrefused');
  await page.route('**/api/v1/events*', news);
  await page.goto(`${base}/runs`);
  await page.waitForSelector('#away >> text=No connection to webhookd since');
  await look('away');
  await page.unroute('**/api/v1/events*', news);
  await page.waitForSelector('#away:empty', { state: 'attached' });
}

async function hostileNames() {
  await page.goto(`${base}/`);
  await page.waitForSelector('a:has-text("<img src=x onerror=alert(1)>")');
  await look('fleets');
  await page.click('a:has-text("<img src=x onerror=alert(1)>")');
  await page.waitForSelector('h1:has-text("<img src=x onerror=alert(1)>")');
  await page.waitForSelector('text=No fleet runs yet');
  await look('logs-none');
  assert((await page.locator('main img').count()) === 0, 'a name became an element');
}

async function keyboardOnly() {
  await page.goto(`${base}/`);
  await page.waitForSelector('table');
  await page.keyboard.press('Tab');
  assert(
    (await page.evaluate(() => document.activeElement.textContent)) === 'Skip to content',
    'the first Tab does not go to the skip link',
  );
  for (let i = 0; i < 100; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.textContent.startsWith('Site'))) break;
  }
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:text-is("Site")');
}

async function keysAndAudit() {
  await page.goto(`${base}/`);
  await page.click('header >> text=Keys');
  await page.waitForSelector('td:has-text("ann (yours)")');
  await page.fill('#key-name', 'ann');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]:has-text("already")');
  await page.fill('#key-name', '<b>bob');
  await page.keyboard.press('Enter');
  await page.waitForSelector('td :text-is("<b>bob")');
  await page.click('.warning >> button:text-is("Copy")');
  await page.waitForFunction(() =>
    navigator.clipboard.readText().then((text) => text.startsWith('wha_')),
  );
  const bobs = await clipboard();
  const bob = () =>
    fetch(`${base}/api/v1/fleets`, { headers: { authorization: `Bearer ${bobs}` } }).then(
      (answer) => answer.status,
    );
  assert((await bob()) === 200, 'the API does not accept the copied key');
  await look('keys');
  await page.click('button:text-is("Done")');
  assert(!(await page.textContent('main')).includes(bobs), 'the key is still shown');
  await page.click('button[aria-label="Revoke <b>bob"]');
  await answerDialog('Revoke');
  await page.waitForSelector('text=was revoked');
  assert((await bob()) === 401, 'the API still accepts the revoked key');
  for (let i = 0; i < 2; i++) {
    await page.fill('#key-name', 'carol');
    await page.keyboard.press('Enter');
    await page.waitForSelector(
      i === 0 ? '.warning >> text=“carol”' : '[role=alert]:has-text("carol")',
    );
  }
  await page.click('button[aria-label="Revoke carol"]');
  await answerDialog('Revoke');
  await page.waitForSelector('text=carol was revoked');
  assert((await page.locator('.warning').count()) === 0, 'a revoked key is still shown');
  assert(!(await page.isVisible('.problem')), 'an old error is still shown');
  await tab('Audit log');
  await page.waitForSelector('tr:has-text("Revoked key"):has-text("<b>bob"):has-text("127.0.0.1")');
  await look('audit');
  await page.click('tr:has-text("Replaced webhook") >> a');
  await page.waitForSelector('h1:text-is("Site")');
}

async function leave() {
  await page.click('a:text-is("Triggers")');
  await page.click('button:has-text("Remove")');
  await answerDialog('Remove');
  await page.waitForSelector('text=No webhook yet');
  await page.click('button:has-text("Sign out")');
  await page.waitForSelector('#key');
  await page.goto(`${base}/runs`);
  await page.waitForSelector('#key');
}

/* ---- the picture in README.md ---- */

const deploySite = `name: Deploy site
vessels:
${bashVessel(
  'checkout',
  'echo "Fetching harbour/lighthouse, branch main"',
  'sleep 0.6',
  'echo "HEAD is now at 0d1a26e Turn the lamp twice as fast in fog"',
)}${bashVessel(
  'build',
  'echo "Rendering 42 pages"',
  'sleep 1.4',
  'for i in {1..42}; do echo "public/page-$i.html"; done',
)}${bashVessel(
  'publish',
  'echo "Copying 42 pages to www.harbour.example"',
  'sleep 0.8',
  'echo "The site is live"',
)}connections: { checkout: { build: SUCCESS }, build: { publish: SUCCESS } }
`;

/** The first vessel fails, so the second does not run. */
async function incompleteVessel() {
  const file = `name: Half
vessels:
${bashVessel('one', 'exit 1')}${bashVessel('two', 'true')}connections: { one: { two: SUCCESS } }
`;
  await applyFleet(file);
  await page.goto(`${base}/`);
  await page.click('a:text-is("Half")');
  await runNow();
  await page.waitForSelector('.facts .status.errored');
  await page.click('td >> a:text-is("two")');
  await page.waitForSelector(
    'text=The vessel did not run, because the condition of a connection to it did not hold ' +
      'or an earlier vessel was stopped.',
  );
}

/**
 * Writes run.png: a run that a push to a repository started. docs/images/run.png is a copy of it. A
 * context of its own gives it a neutral language and time zone.
 */
async function picture() {
  const fleet = await applyFleet(deploySite);
  const { url } = await api('POST', `/fleets/${fleet.id}/webhook`);
  const push = new URL('../../docs/examples/github-push.json', import.meta.url);
  const answer = await fetch(here(url), {
    method: 'POST',
    body: readFileSync(push),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-event': 'push',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    },
  });
  assert(answer.status === 201, `the push got ${answer.status}`);
  const run = (await answer.json()).data.fleet_run_id;
  const own = await browser.newContext({
    viewport: { width: 1280, height: 600 }, // high enough for the whole content
    deviceScaleFactor: 1,
    colorScheme: 'light',
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  const view = await own.newPage();
  await view.goto(`${base}/runs/${run}`);
  await view.fill('#key', key);
  await view.keyboard.press('Enter');
  await view.waitForSelector('.facts .status.success');
  await view.waitForSelector('button:text-is("Run again"):not([aria-disabled])');
  const file = `${folder}/run.png`;
  await view.screenshot({ path: file });
  await own.close();
  assert(statSync(file).size < 200 * 1024, 'run.png has 200 KiB or more');
}

/** Those that stand alone. They begin signed in. */
const alone = Object.entries({
  ...accessibility,
  ...audits,
  ...bodyChecks,
  ...credentials,
  ...graphs,
  ...histories,
  idlePageSignsOut,
  ...keyChecks,
  ...machines,
  ...outputs,
  ...pages,
  ...requests,
  ...runs,
  ...shapes,
  ...starting,
  ...texts,
  ...triggering,
  ...waits,
  ...widths,
});

async function inOrder() {
  await page.goto(`${base}/`);
  const url = await webhook();
  await sealedWebhook();
  const run = await liveRuns(url);
  const types = await fetch(`${base}/console/types.d.ts`);
  assert(types.status === 404, 'webhookd serves types.d.ts');
  await runWithBody();
  await bodies(url, run);
  await output();
  await liveOutput();
  await keyedChildren();
  await keptInPlace();
  await longOutput();
  await tooManyLines();
  await oddLines();
  await hiddenOverARetry();
  await incompleteVessel();
  await definitions();
  await takenName();
  await otherName();
  await noSuchPage();
  await signInAgain();
  await leftEarly(run);
  await unsaved();
  await otherTab();
  await lookedFor(run);
  await away();
  await hostileNames();
  await keyboardOnly();
  await keysAndAudit();
  await leave();
  assert((await post(url)).status === 400, 'the removed URL still works');
  await picture();
}

try {
  const only = process.env.CONSOLE_CHECK;
  await signIn();
  for (const [name, check] of alone) {
    if (!only || only === name) await check();
  }
  if (!only) await inOrder();
  assert(wrong.length === 0, wrong.join('\n'));
  console.log(`the console works; screenshots are in ${folder}`);
} catch (error) {
  await page.screenshot({ path: `${folder}/wrong.png` });
  console.error(
    `${error.message}\n${wrong.join('\n')}\nat ${page.url()}; ${folder}/wrong.png shows it`,
  );
  process.exitCode = 1;
} finally {
  await browser.close();
}
