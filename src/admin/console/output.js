// The live output of one attempt of a vessel run, with its controls: follow, wrap and search. The
// page of the vessel run (vessel.js) opens one attempt at a time.
import { address, messageOf } from './api.js';
import { h, show } from './dom.js';
import { Lines } from './lines.js';
import { found, lost } from './live.js';
import { lineSearch } from './search.js';

/** @import { Id, Page, VesselRun } from './types.d.ts' */

/** If more than this is waiting, even more is probably coming: it is then shown less often. */
const MANY_CHARS = 30000;
const SHOW_MS = 30;
const SHOW_MANY_MS = 500;
/* In pixels. */
const AT_END = 40;
const ROOM_BELOW = 48;
const LOWEST = 240;

/** The line that the address names, as in #L120, or 0. */
const lineInAddress = () => Number(/^#L([0-9]{1,9})$/.exec(location.hash)?.[1] ?? 0);

/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/**
 * Whether there is output to show. A vessel that an override skipped has output without an attempt.
 *
 * @param {VesselRun} vessel
 */
export const hasOutput = (vessel) => vessel.attempts > 0 || vessel.output_bytes > 0;

/**
 * The path of an attempt's output; attempt 0 is that of a skipped vessel.
 *
 * @param {Id} runId
 * @param {Id} vesselRunId
 * @param {number} attempt
 */
export const logPath = (runId, vesselRunId, attempt) =>
  `/fleetruns/${runId}/vessels/${vesselRunId}/log${attempt > 0 ? `?attempt=${attempt}` : ''}`;

/**
 * `lookAgain` reads the run again: after the end of the output, or if the output cannot be read.
 *
 * @param {Page} page
 * @param {() => Promise<void>} lookAgain
 */
export function outputView(page, lookAgain) {
  const element = h('div', {
    class: 'output',
    tabindex: '0',
    role: 'log',
    'aria-label': 'Output',
    'aria-live': 'off',
  });
  const note = h('p', { class: 'soft' });
  const follow = h('input', { type: 'checkbox', id: 'follow', checked: true });
  const wrap = h('input', { type: 'checkbox', id: 'wrap' });
  const lines = new Lines(element);
  const search = lineSearch(lines, () => {
    follow.checked = false;
  });
  /** @type {EventSource | null} */
  let source = null;
  let isPaused = false;
  let path = '';
  let bytes = 0; // received so far
  let decoder = new TextDecoder();
  let waiting = '';
  let timer = 0;
  let scrolledTo = 0;
  /** Whether the attempt may go on writing. */
  let isLive = true;
  let isAtEnd = false;
  /** The line to go to once it is there, or 0. */
  let lineWanted = 0;

  function toEnd() {
    element.scrollTop = element.scrollHeight;
    scrolledTo = element.scrollTop;
  }

  /** The line that was gone to, if it is in sight. */
  function currentInSight() {
    const line = element.querySelector('.line.current');
    const box = element.getBoundingClientRect();
    const bounds = line?.getBoundingClientRect();
    return bounds && bounds.bottom > box.top && bounds.top < box.bottom ? line : null;
  }

  /**
   * Limits the height of the output to the room that the window has below its top. The end of a
   * followed output, or the line that was gone to, stays in sight.
   */
  function fit() {
    const line = currentInSight();
    const top = element.getBoundingClientRect().top + scrollY;
    element.style.maxHeight = `${Math.max(LOWEST, innerHeight - top - ROOM_BELOW)}px`;
    if (follow.checked) toEnd();
    else line?.scrollIntoView({ block: 'nearest' });
  }

  /* ---- output is gathered, and shown at intervals ---- */

  function settle() {
    if (search.field.value) search.tell();
    if (lineWanted && lines.goToLine(lineWanted)) lineWanted = 0;
    if (follow.checked) toEnd();
  }

  function flush() {
    clearTimeout(timer);
    timer = 0;
    lines.write(waiting);
    waiting = '';
    settle();
  }

  /** @param {string} text */
  function add(text) {
    waiting += text;
    timer ||= setTimeout(flush, waiting.length > MANY_CHARS ? SHOW_MANY_MS : SHOW_MS);
  }

  /* ---- the stream ---- */

  function stop() {
    source?.close();
    source = null;
    found();
  }

  /** @param {MessageEvent} event */
  function whenOutput(event) {
    bytes = Number(event.lastEventId);
    add(decoder.decode(fromBase64(event.data), { stream: true }));
  }

  function endNote() {
    if (lines.count === 0) return 'The vessel wrote no output.';
    if (lines.dropped === 0) return null;
    return (
      `The first ${lines.dropped} of ${lines.count} lines are not shown. ` +
      'Download the output to see them.'
    );
  }

  function whenEnded() {
    stop();
    waiting += decoder.decode(); // an incomplete character
    flush();
    lines.finish();
    settle();
    if (isAtEnd && !lineInAddress()) toEnd();
    isLive = false;
    show(note, endNote());
    lookAgain().catch(() => {});
  }

  /** Finds out why there is no stream: the session has ended, or the output does not exist. */
  async function whenRefused() {
    stop();
    try {
      await lookAgain();
      show(note, 'The output is not available: it was deleted, or the attempt never ran.');
    } catch (error) {
      show(note, messageOf(error));
    }
  }

  /** Opens the stream, after the bytes that were already received. */
  function listen() {
    stop();
    const more = path.includes('?') ? '&' : '?';
    const mine = new EventSource(address(`${path}${more}follow=1&from=${bytes}`));
    /** @type {(name: string, act: (event: MessageEvent) => void) => void} */
    const on = (name, act) =>
      mine.addEventListener(name, (event) => {
        if (source === mine) act(event);
      });
    source = mine;
    on('output', whenOutput);
    on('end', whenEnded);
    on('open', found);
    on('error', () => {
      if (mine.readyState === EventSource.CLOSED) whenRefused();
      else lost();
    });
  }

  /**
   * Opens an attempt. A live one is followed; another is shown from its beginning, from its end, or
   * from the line that the address names.
   *
   * @param {string} pathOfLog
   * @param {{isLive: boolean, isAtEnd?: boolean}} options
   */
  function open(pathOfLog, options) {
    stop();
    clearTimeout(timer);
    ({ isLive, isAtEnd = false } = options);
    lineWanted = lineInAddress();
    follow.checked = isLive && !lineWanted;
    path = pathOfLog;
    bytes = 0;
    decoder = new TextDecoder();
    waiting = '';
    timer = 0;
    lines.clear();
    scrolledTo = 0;
    show(note);
    isPaused = document.hidden;
    if (!isPaused) listen();
  }

  /* ---- following ---- */

  /**
   * Scrolling up stops following. Scrolling to the end of a live output resumes it, unless a search
   * is active.
   */
  function whenScrolled() {
    const { scrollTop, scrollHeight, clientHeight } = element;
    const hasEnd = scrollHeight - scrollTop - clientHeight < AT_END;
    const resumes = hasEnd && isLive && !search.field.value;
    if (scrollTop < scrolledTo - 4 && !hasEnd) follow.checked = false;
    else if (scrollTop > scrolledTo && resumes) follow.checked = true;
    scrolledTo = scrollTop;
  }

  function whenWrapped() {
    const isFollowing = follow.checked;
    lines.keepInSight(() => element.classList.toggle('wrap', wrap.checked));
    scrolledTo = element.scrollTop;
    if (isFollowing) toEnd();
    follow.checked = isFollowing;
  }

  /** A hidden page does not read the stream. */
  function whenSeen() {
    if (document.hidden && source) {
      stop();
      isPaused = true;
    } else if (!document.hidden && isPaused) {
      isPaused = false;
      listen();
    }
  }

  function whenLineChosen() {
    lineWanted = lineInAddress();
    if (!lineWanted) return;
    follow.checked = false;
    settle();
  }

  element.addEventListener('scroll', whenScrolled);
  addEventListener('hashchange', whenLineChosen);
  wrap.addEventListener('change', whenWrapped);
  follow.addEventListener('change', () => {
    if (follow.checked) toEnd();
  });
  addEventListener('resize', fit);
  document.addEventListener('visibilitychange', whenSeen);
  page.onLeave(() => {
    removeEventListener('resize', fit);
    removeEventListener('hashchange', whenLineChosen);
    document.removeEventListener('visibilitychange', whenSeen);
    stop();
    clearTimeout(timer);
    lines.end();
  });
  return {
    element,
    note,
    controls: [
      h('label', { for: 'follow' }, follow, ' Follow'),
      h('label', { for: 'wrap' }, wrap, ' Wrap lines'),
      search.field,
      search.told,
    ],
    open,
    fit,
    bytes: () => bytes,
    isFollowing: () => follow.checked,
  };
}
