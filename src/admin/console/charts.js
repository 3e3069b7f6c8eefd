// Bars: how long runs took, and when a run's vessels ran. A bar stays an element while it grows.
import { keyed, set, show, svg } from './dom.js';
import { duration, took } from './format.js';
import { statusWord } from './widgets.js';

const BAR_WIDTH = 10;
const BARS_HEIGHT = 48;

/** A bar that leads to a page. */
const linkedBar = () => svg('a', { tabindex: '-1' }, svg('title'), svg('rect'));

function setBar(anchor, { href, title, ...shape }) {
  set(anchor, { href });
  show(anchor.querySelector('title'), title);
  set(anchor.querySelector('rect'), shape);
}

/** Durations of runs, the oldest left. draw() takes the runs, the newest first. */
export function bars() {
  const element = svg('svg', { class: 'bars', height: BARS_HEIGHT, role: 'group' });

  function draw(runs) {
    const durations = runs.map((run) => took(run) || 0);
    const longest = Math.max(1, ...durations);
    const shapes = runs.map((run, i) => {
      const height = Math.max(3, (durations[i] / longest) * (BARS_HEIGHT - 4));
      return {
        id: run.id,
        href: `/runs/${run.id}`,
        title: `${statusWord(run.status)}, ${duration(took(run))}`,
        class: `bar ${run.status}`,
        x: (runs.length - 1 - i) * BAR_WIDTH + 1,
        y: BARS_HEIGHT - height,
        width: BAR_WIDTH - 2,
        height,
        rx: 2,
      };
    });
    set(element, {
      viewBox: `0 0 ${Math.max(1, runs.length) * BAR_WIDTH} ${BARS_HEIGHT}`,
      width: runs.length * BAR_WIDTH,
      'aria-label': `Durations of the last ${runs.length} runs`,
    });
    keyed(
      element,
      shapes.reverse(),
      (shape) => shape.id,
      linkedBar,
      (anchor, { id, ...shape }) => setBar(anchor, shape),
    );
  }
  return { element, draw };
}

const GANTT_BAR_HEIGHT = 16;
const LONGEST_NAME = 24;
const clipped = (name) =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;

/** Names beside the bars, or above them where there is little room. */
function ganttLayout(room) {
  const width = Math.max(280, room);
  return width < 620
    ? { width, left: 0, rowHeight: 44, barTop: 22 }
    : { width, left: 180, rowHeight: 26, barTop: 5 };
}

/** When each vessel of a run ran. draw() takes the vessel runs, and the width there is, in pixels. */
export function gantt(runId) {
  const element = svg('svg', {
    class: 'gantt',
    role: 'group',
    'aria-label': 'When each vessel ran',
  });

  function draw(vessels, room) {
    const begun = vessels.filter((vessel) => vessel.started_at);
    const { width, left, rowHeight, barTop } = ganttLayout(room);
    const starts = begun.map((vessel) => Date.parse(vessel.started_at));
    const ends = begun.map((vessel) =>
      vessel.ended_at ? Date.parse(vessel.ended_at) : Date.now(),
    );
    const from = Math.min(...starts);
    const until = Math.max(from + 1, ...ends);
    const x = (at) => left + ((at - from) / (until - from)) * (width - left - 80);
    const rows = begun.map((vessel, i) => ({
      id: vessel.id,
      name: clipped(vessel.name),
      duration: duration(took(vessel)),
      top: i * rowHeight,
      barTop: i * rowHeight + barTop,
      barEnd: Math.max(x(starts[i]) + 3, x(ends[i])),
      bar: {
        href: `/runs/${runId}/vessels/${vessel.id}`,
        title: `${vessel.name}: ${statusWord(vessel.status)}`,
        class: `bar ${vessel.status}`,
        x: x(starts[i]),
        y: i * rowHeight + barTop,
        width: Math.max(3, x(ends[i]) - x(starts[i])),
        height: GANTT_BAR_HEIGHT,
        rx: 3,
      },
    }));
    set(element, {
      viewBox: `0 0 ${width} ${begun.length * rowHeight}`,
      hidden: begun.length === 0,
    });
    keyed(
      element,
      rows,
      (row) => row.id,
      () => svg('g', null, svg('text', { x: 0 }), linkedBar(), svg('text')),
      (group, row) => {
        const [name, bar, length] = group.children;
        set(name, { y: row.top + 17 });
        show(name, row.name);
        setBar(bar, row.bar);
        set(length, { x: row.barEnd + 6, y: row.barTop + 12 });
        show(length, row.duration);
      },
    );
  }
  return { element, draw };
}
