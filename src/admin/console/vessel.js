// A vessel run: its attempts, and its output as it comes.
import { address, get } from './api.js';
import { h, show } from './dom.js';
import { duration, ended, shortId, size, timeOfDay, took } from './format.js';
import { Lines } from './lines.js';
import { found, lost } from './live.js';
import { lineSearch } from './search.js';
import { crumbs, link, status } from './widgets.js';

const MANY_LINES = 300; /* of one event: more are on their way */

export async function vesselPage(main, page) {
  const [runId, vesselRunId] = page.parts;
  const head = h('div'), output = h('div', { class: 'output', tabindex: '0', role: 'log', 'aria-label': 'Output', 'aria-live': 'off' });
  const follow = h('input', { type: 'checkbox', id: 'follow', checked: true }), wrap = h('input', { type: 'checkbox', id: 'wrap' });
  const lines = new Lines(output), search = lineSearch(lines, () => { follow.checked = false; });
  const what = h('div', { class: 'facts' });
  const note = h('p', { class: 'soft' }), attempts = h('div', { class: 'row' }), download = h('a', { class: 'button', download: '' }, 'Download');
  let run, vessel, attempt = 0, newest = 0, source = null;
  let rest = '', waiting = [], frame = 0, decoder, have = 0; /* bytes of the output */

  const path = (number) => `/fleetruns/${runId}/vessels/${vesselRunId}/log?attempt=${number}`;

  /* Lines are gathered, and shown a few times a second. The last one, which has no end yet, is shown as far as it goes. */
  function flush() {
    frame = 0;
    lines.add(waiting, rest);
    waiting = [];
    if (search.field.value) search.tell();
    if (follow.checked) output.scrollTop = output.scrollHeight;
  }

  function add(bytes) {
    const texts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = texts.pop();
    for (const text of texts) waiting.push(text);
    frame ||= setTimeout(flush, waiting.length > MANY_LINES ? 500 : 30);
  }

  function stop() {
    source?.close();
    source = null;
    found();
  }

  function whenEnded() {
    stop();
    clearTimeout(frame);
    if (rest) waiting.push(rest);
    rest = '';
    flush();
    show(note, lines.count === 0 ? 'It said nothing.' : lines.dropped > 0 ? `The first ${lines.dropped} lines of ${lines.count} are not shown: download it for all.` : null);
    load().catch(() => {});
  }

  /** Goes on behind what is there already. */
  function listen() {
    source = new EventSource(address(`${path(attempt)}&follow=1&from=${have}`));
    source.addEventListener('output', (event) => { have = Number(event.lastEventId); add(Uint8Array.from(atob(event.data), (c) => c.charCodeAt(0))); });
    source.addEventListener('end', whenEnded);
    source.addEventListener('open', found);
    source.addEventListener('error', () => {
      if (source?.readyState !== EventSource.CLOSED) return lost();
      stop();
      show(note, 'The output cannot be read: it was deleted, or the attempt did not come to run.');
    });
  }

  function open(number) {
    stop();
    clearTimeout(frame);
    attempt = number;
    newest = Math.max(newest, number);
    rest = '';
    waiting = [];
    frame = have = 0;
    decoder = new TextDecoder();
    lines.clear();
    show(note);
    drawAttempts();
    if (number === 0) return;
    download.href = address(path(number));
    download.setAttribute('download', `${vessel.name}-${number}.log`);
    listen();
  }

  function drawAttempts() {
    show(attempts, vessel.attempts > 1 && ['Attempt', Array.from({ length: vessel.attempts }, (_, i) => h('button', { type: 'button', 'aria-pressed': String(i + 1 === attempt), onclick: () => open(i + 1) }, String(i + 1)))]);
  }

  async function load() {
    run = await get(`/fleetruns/${runId}`);
    if (!page.isOpen()) return;
    vessel = run.vessels.find((one) => one.id === vesselRunId);
    if (!vessel) throw new Error('This run has no such vessel.');
    document.title = `${vessel.name} · webhookd`;
    show(head, crumbs(link('/', 'Fleets'), link(`/fleets/${run.fleet_id}`, run.fleet_name), link(`/runs/${runId}`, `Run ${shortId(runId)}`)),
      h('h1', null, vessel.name),
      h('div', { class: 'facts' }, status(vessel.status), vessel.exit_code !== null && h('span', null, 'exit ', h('b', null, String(vessel.exit_code))), vessel.reason && h('span', null, vessel.reason),
        h('span', null, `${vessel.attempts} ${vessel.attempts === 1 ? 'attempt' : 'attempts'}`), h('span', null, duration(took(vessel))), h('span', null, timeOfDay(vessel.started_at)), h('span', null, size(vessel.output_bytes))));
    drawAttempts();
  }

  /** Its definition in the version that ran; a fleet that was deleted has none any more. */
  async function describe() {
    const { definition } = await get(`/fleets/${run.fleet_id}/versions/${run.fleet_version}`);
    const own = definition.vessels.find((one) => one.name === vessel.name);
    const names = Object.keys(own?.environment ?? {});
    show(what, own && h('span', null, 'file ', h('b', { class: 'mono' }, own.file_to_run), ` (v${run.fleet_version})`),
      names.length > 0 && h('span', null, 'environment ', h('b', { class: 'mono' }, names.join(' '))));
  }

  /* Who scrolls up reads; who scrolls to the end wants more. */
  output.addEventListener('scroll', () => { follow.checked = output.scrollHeight - output.scrollTop - output.clientHeight < 40; });
  const whenSeen = () => {
    if (document.hidden && source) { stop(); isPaused = true; }
    else if (!document.hidden && isPaused) { isPaused = false; listen(); }
  };
  let isPaused = false;
  document.addEventListener('visibilitychange', whenSeen);
  page.onLeave(() => document.removeEventListener('visibilitychange', whenSeen));
  wrap.addEventListener('change', () => output.classList.toggle('wrap', wrap.checked));
  await load();
  if (!page.isOpen()) return;
  describe().catch(() => {});
  show(main, head, what, h('section', { class: 'card' },
    h('div', { class: 'row between' }, attempts, h('div', { class: 'row' }, h('label', { for: 'follow' }, follow, ' follow'), h('label', { for: 'wrap' }, wrap, ' wrap'), search.field, search.told, download)),
    h('p'), output, note));
  page.onLeave(() => { stop(); clearTimeout(frame); lines.end(); });
  if (vessel.attempts > 0) open(vessel.attempts);
  else show(note, 'It has not started yet.');
  const timer = setInterval(async () => {
    if (ended(vessel.status)) return clearInterval(timer);
    await load().catch(() => {});
    if (page.isOpen() && vessel.attempts > newest) open(vessel.attempts);
  }, 1000);
  page.onLeave(() => clearInterval(timer));
}
