// A vessel run: its attempts, and its output as it comes.
import { address, get, post } from './api.js';
import { h, keyed, set, show } from './dom.js';
import { elapsed, ended, shortId, size, timeOfDay } from './format.js';
import { Lines } from './lines.js';
import { found, lost } from './live.js';
import { lineSearch } from './search.js';
import { actionButton, crumbs, drawFacts, link, status } from './widgets.js';

const MANY_CHARS = 30000; /* waiting: more are on their way, and need not be shown one by one */
const AT_END = 40,
  ROOM_BELOW = 48; /* pixels */

export async function vesselPage(main, page) {
  const [runId, vesselRunId] = page.parts;
  const output = h('div', {
    class: 'output',
    tabindex: '0',
    role: 'log',
    'aria-label': 'Output',
    'aria-live': 'off',
  });
  const follow = h('input', { type: 'checkbox', id: 'follow', checked: true }),
    wrap = h('input', { type: 'checkbox', id: 'wrap' });
  const lines = new Lines(output),
    search = lineSearch(lines, () => {
      follow.checked = false;
    });
  const facts = h('div', { class: 'facts' }),
    what = h('div', { class: 'facts' });
  const note = h('p', { class: 'soft' }),
    attemptsTitle = h('span', null, 'Attempt'),
    attemptButtons = h('div', { class: 'row' }),
    download = h('a', { class: 'button', download: '', hidden: true }, 'Download');
  let run,
    vessel,
    attempt = 0,
    source = null,
    isPaused = false;
  let waiting = '',
    timer = 0,
    decoder,
    have = 0; /* bytes of the output */

  const path = (number) => `/fleetruns/${runId}/vessels/${vesselRunId}/log?attempt=${number}`;

  /* ---- output ---- */

  let scrolledTo = 0;
  function toEnd() {
    output.scrollTop = output.scrollHeight;
    scrolledTo = output.scrollTop;
  }

  /* What comes is gathered, and shown a few times a second. */
  function flush() {
    clearTimeout(timer);
    timer = 0;
    lines.write(waiting);
    waiting = '';
    if (search.field.value) search.tell();
    if (follow.checked) toEnd();
  }

  function add(text) {
    waiting += text;
    timer ||= setTimeout(flush, waiting.length > MANY_CHARS ? 500 : 30);
  }

  function stop() {
    source?.close();
    source = null;
    found();
  }

  function whenEnded() {
    stop();
    waiting += decoder.decode(); /* a character that was begun */
    flush();
    lines.finish();
    if (search.field.value) search.tell();
    if (follow.checked) toEnd();
    show(
      note,
      lines.count === 0
        ? 'It said nothing.'
        : lines.dropped > 0
          ? `The first ${lines.dropped} lines of ${lines.count} are not shown: download it for all.`
          : null,
    );
    load().catch(() => {});
  }

  /** A stream that was refused: is anybody still signed in, and is the run there? */
  async function whenRefused() {
    stop();
    try {
      await load();
      show(note, 'The output cannot be read: it was deleted, or the attempt did not come to run.');
    } catch (error) {
      show(note, error.message);
    }
  }

  /** Goes on behind what is there already. */
  function listen() {
    stop();
    const mine = new EventSource(address(`${path(attempt)}&follow=1&from=${have}`));
    const on = (name, act) =>
      mine.addEventListener(name, (event) => {
        if (source === mine) act(event);
      });
    source = mine;
    on('output', (event) => {
      have = Number(event.lastEventId);
      add(
        decoder.decode(
          Uint8Array.from(atob(event.data), (c) => c.charCodeAt(0)),
          { stream: true },
        ),
      );
    });
    on('end', whenEnded);
    on('open', found);
    on('error', () => (mine.readyState === EventSource.CLOSED ? whenRefused() : lost()));
  }

  function open(number) {
    stop();
    clearTimeout(timer);
    attempt = number;
    waiting = '';
    timer = have = 0;
    decoder = new TextDecoder();
    lines.clear();
    show(note);
    drawAttempts();
    download.href = address(path(number));
    download.setAttribute('download', `${vessel.name}-${number}.log`);
    download.hidden = false;
    isPaused = document.hidden;
    if (!isPaused) listen();
  }

  /* ---- about it ---- */

  let isStopping = false;
  const stopButton = actionButton(
    'Stop run',
    async () => {
      await post(`/fleetruns/${runId}/stop`);
      isStopping = true;
      await load();
    },
    { class: 'danger' },
  );

  /** A button for each attempt, if there are several. */
  function drawAttempts() {
    const count = vessel.attempts > 1 ? vessel.attempts : 0;
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    attemptsTitle.hidden = count === 0;
    keyed(
      attemptButtons,
      numbers.map((number) => ({ number, isPressed: number === attempt })),
      ({ number }) => number,
      ({ number }) => h('button', { type: 'button', onclick: () => open(number) }, String(number)),
      (button, { isPressed }) => set(button, { 'aria-pressed': String(isPressed) }),
    );
  }

  const factsOf = () => ({
    status: status(vessel.status),
    exit: vessel.exit_code !== null && ['exit ', h('b', null, String(vessel.exit_code))],
    reason: vessel.reason,
    attempts: `${vessel.attempts} ${vessel.attempts === 1 ? 'attempt' : 'attempts'}`,
    duration: elapsed(vessel),
    started: timeOfDay(vessel.started_at),
    output: size(ended(vessel.status) ? vessel.output_bytes : have),
    stopping: isStopping && !ended(run.status) && 'stopping…',
  });

  async function load() {
    run = await get(`/fleetruns/${runId}`);
    if (!page.isOpen()) return;
    vessel = run.vessels.find((one) => one.id === vesselRunId);
    if (!vessel) throw new Error('This run has no such vessel.');
    drawFacts(facts, factsOf());
    stopButton.hidden = isStopping || ended(run.status);
    drawAttempts();
  }

  /** Its definition in the version that ran; a fleet that was deleted has none any more. */
  async function describe() {
    const { definition } = await get(`/fleets/${run.fleet_id}/versions/${run.fleet_version}`);
    const own = definition.vessels.find((one) => one.name === vessel.name);
    const names = Object.keys(own?.environment ?? {});
    show(
      what,
      own &&
        h(
          'span',
          null,
          'file ',
          h('b', { class: 'mono' }, own.file_to_run),
          ` (v${run.fleet_version})`,
        ),
      names.length > 0 &&
        h('span', null, 'environment ', h('b', { class: 'mono' }, names.join(' '))),
    );
  }

  /** As high as there is room below it. */
  function fit() {
    output.style.maxHeight = `${Math.max(240, innerHeight - output.getBoundingClientRect().top - scrollY - ROOM_BELOW)}px`;
    if (follow.checked) toEnd();
  }
  const grown = new ResizeObserver(fit);
  addEventListener('resize', fit);
  page.onLeave(() => {
    removeEventListener('resize', fit);
    grown.disconnect();
  });

  /* ---- following ---- */

  /* Who scrolls up reads; who scrolls to the end wants more, unless it is only where a match is. */
  output.addEventListener('scroll', () => {
    const isAtEnd = output.scrollHeight - output.scrollTop - output.clientHeight < AT_END;
    if (output.scrollTop < scrolledTo - 4 && !isAtEnd) follow.checked = false;
    else if (output.scrollTop > scrolledTo && isAtEnd && !search.field.value) follow.checked = true;
    scrolledTo = output.scrollTop;
  });
  follow.addEventListener('change', () => {
    if (follow.checked) toEnd();
  });
  wrap.addEventListener('change', () => {
    const isFollowing = follow.checked;
    lines.keepInSight(() => output.classList.toggle('wrap', wrap.checked));
    scrolledTo = output.scrollTop;
    if (isFollowing) toEnd();
    follow.checked = isFollowing;
  });
  const whenSeen = () => {
    if (document.hidden && source) {
      stop();
      isPaused = true;
    } else if (!document.hidden && isPaused) {
      isPaused = false;
      listen();
    }
  };
  document.addEventListener('visibilitychange', whenSeen);
  page.onLeave(() => {
    document.removeEventListener('visibilitychange', whenSeen);
    stop();
    clearTimeout(timer);
    lines.end();
  });

  await load();
  if (!page.isOpen()) return;
  document.title = `${vessel.name} · webhookd`;
  describe().catch(() => {});
  show(
    main,
    crumbs(
      link('/', 'Fleets'),
      link(`/fleets/${run.fleet_id}`, run.fleet_name),
      link(`/runs/${runId}`, `Run ${shortId(runId)}`),
    ),
    h('div', { class: 'row between' }, h('h1', null, vessel.name), stopButton),
    facts,
    what,
    h(
      'section',
      { class: 'card' },
      h(
        'div',
        { class: 'row between' },
        h('div', { class: 'row' }, attemptsTitle, attemptButtons),
        h(
          'div',
          { class: 'row' },
          h('label', { for: 'follow' }, follow, ' follow'),
          h('label', { for: 'wrap' }, wrap, ' wrap'),
          search.field,
          search.told,
          download,
        ),
      ),
      h('p'),
      output,
      note,
    ),
  );
  fit();
  grown.observe(what);
  if (vessel.attempts > 0) open(vessel.attempts);
  else
    show(
      note,
      ended(vessel.status) ? 'It did not run, so it said nothing.' : 'It has not started yet.',
    );
  const looking = setInterval(async () => {
    if (ended(vessel.status)) return clearInterval(looking);
    const newest = vessel.attempts;
    await load().catch(() => {});
    if (!page.isOpen() || vessel.attempts === newest) return;
    if (attempt === newest && (follow.checked || attempt === 0))
      open(vessel.attempts); /* who reads an older one goes on reading */
  }, 1000);
  page.onLeave(() => clearInterval(looking));
}
