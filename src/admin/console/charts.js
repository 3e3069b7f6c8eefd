// Bar charts: how long runs took, and when the vessels of a run ran. A bar that grows remains the
// same element.
import { keyed, set, show, svg } from './dom.js';
import { duration, took } from './format.js';
import { markPath } from './marks.js';
import { withFilter } from './run_filter.js';

/** @import { Bar, FleetRun, VesselRun } from './types.d.ts' */

const BAR_WIDTH = 12;
const BARS_HEIGHT = 48;
/** Of the row of marks below the bars. */
const MARKS_HEIGHT = 16;
const MARK_SCALE = 10 / 16;

const linkedBar = () => svg('a', { tabindex: '-1' }, svg('title'), svg('rect'), svg('path'));

/**
 * @param {Element} anchor
 * @param {Bar} bar
 */
function setBar(anchor, { href, title, status, markX, markY, ...shape }) {
  const [name, rectangle, mark] = anchor.children;
  set(anchor, { href });
  show(name, title);
  set(rectangle, { class: `bar ${status}`, ...shape });
  set(mark, {
    ...markPath(status),
    transform: `translate(${markX} ${markY}) scale(${MARK_SCALE})`,
  });
}

/**
 * @param {FleetRun} run
 * @param {number} x
 * @param {number} share of the height of the longest run's bar, from 0 to 1
 */
function durationBar(run, x, share) {
  const height = Math.max(3, share * (BARS_HEIGHT - 4));
  return {
    id: run.id,
    bar: {
      href: withFilter(`/runs/${run.id}`),
      title: `${run.status}, ${duration(took(run))}`,
      status: run.status,
      x: x + 1,
      y: BARS_HEIGHT - height,
      width: BAR_WIDTH - 2,
      height,
      rx: 2,
      markX: x + 1,
      markY: BARS_HEIGHT + 4,
    },
  };
}

/**
 * The durations of runs on a logarithmic scale, the oldest on the left. draw() takes the runs, the
 * newest first.
 */
export function bars() {
  const element = svg('svg', { class: 'bars', height: BARS_HEIGHT + MARKS_HEIGHT, role: 'group' });

  /** @param {FleetRun[]} runs */
  function draw(runs) {
    const oldestFirst = runs.toReversed();
    // Logarithms: on a linear scale, one long run would flatten all others.
    const durations = oldestFirst.map((run) => Math.log1p(took(run) || 0));
    const longest = Math.max(1, ...durations);
    set(element, {
      viewBox: `0 0 ${Math.max(1, runs.length) * BAR_WIDTH} ${BARS_HEIGHT + MARKS_HEIGHT}`,
      width: runs.length * BAR_WIDTH,
      'aria-label': `Run durations, last ${runs.length}`,
    });
    keyed(
      element,
      oldestFirst.map((run, i) => durationBar(run, i * BAR_WIDTH, durations[i] / longest)),
      ({ id }) => id,
      linkedBar,
      (anchor, { bar }) => setBar(anchor, bar),
    );
  }
  return { element, draw };
}

const GANTT_BAR_HEIGHT = 16;
const NARROWEST = 280;
const NARROW = 620;
const ROOM_FOR_DURATION = 96;
const LONGEST_NAME = 24;

/** @param {string} name */
const clipped = (name) =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;

/**
 * Names stand beside the bars, or above them if the chart is narrow.
 *
 * @param {number} width
 */
const layoutOf = (width) =>
  width < NARROW ? { left: 0, rowHeight: 44, barTop: 22 } : { left: 180, rowHeight: 26, barTop: 5 };

/**
 * A row of the chart for each vessel run that has started.
 *
 * @param {string} runId
 * @param {VesselRun[]} vessels
 * @param {number} width in pixels
 */
function rowsOf(runId, vessels, width) {
  const { left, rowHeight, barTop } = layoutOf(width);
  const times = vessels.flatMap((vessel) => {
    if (!vessel.started_at) return [];
    const start = Date.parse(vessel.started_at);
    return [{ vessel, start, end: start + took(vessel) }];
  });
  const from = Math.min(...times.map(({ start }) => start));
  const until = Math.max(from + 1, ...times.map(({ end }) => end));
  const scale = (width - left - ROOM_FOR_DURATION) / (until - from);
  const rows = times.map(({ vessel, start, end }, i) => {
    const x = left + (start - from) * scale;
    const y = i * rowHeight + barTop;
    const length = Math.max(3, (end - start) * scale);
    const bar = {
      href: withFilter(`/runs/${runId}/vessels/${vessel.id}`),
      title: `${vessel.name}: ${vessel.status}`,
      status: vessel.status,
      x,
      y,
      width: length,
      height: GANTT_BAR_HEIGHT,
      rx: 3,
      markX: x + length + 6,
      markY: y + 3,
    };
    return {
      id: vessel.id,
      name: vessel.name,
      nameAt: { x: 0, y: i * rowHeight + 17 },
      bar,
      duration: duration(took(vessel)),
      durationAt: { x: x + length + 22, y: y + 12 },
    };
  });
  return { rows, height: rows.length * rowHeight };
}

/**
 * A chart of when each vessel of a run ran. draw() takes the vessel runs and the available width in
 * pixels.
 *
 * @param {string} runId
 */
export function gantt(runId) {
  const element = svg('svg', {
    class: 'gantt',
    role: 'group',
    'aria-label': 'When each vessel ran',
  });

  /**
   * @param {VesselRun[]} vessels
   * @param {number} room
   */
  function draw(vessels, room) {
    const width = Math.max(NARROWEST, room);
    const { rows, height } = rowsOf(runId, vessels, width);
    set(element, { viewBox: `0 0 ${width} ${height}`, hidden: rows.length === 0 });
    keyed(
      element,
      rows,
      (row) => row.id,
      () => svg('g', null, svg('text'), linkedBar(), svg('text')),
      (group, row) => {
        const [name, bar, length] = group.children;
        set(name, row.nameAt);
        show(name, svg('title', null, row.name), clipped(row.name));
        setBar(bar, row.bar);
        set(length, row.durationAt);
        show(length, row.duration);
      },
    );
  }
  return { element, draw };
}
