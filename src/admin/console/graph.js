// Draws the graph of a fleet. A vessel stands to the right of all vessels that lead to it. Each
// arrow is labelled with the result that it waits for.
import { svg } from './dom.js';

/** @import { Definition, Path, VesselDefinition } from './types.d.ts' */
/** @typedef {{x: number, y: number}} Place */
/** @typedef {{from: string, to: string, path: Path}} Edge */

const WIDTH = 150;
const HEIGHT = 40;
const GAP_X = 90;
const GAP_Y = 18;
const PAD = 8;
const LONGEST_NAME = 18;
const PATHS = ['SUCCESS', 'ERRORED', 'COMPLETED'];

/**
 * The column of each vessel: one to the right of the rightmost vessel that leads to it.
 *
 * @param {string[]} names
 * @param {Edge[]} edges
 */
function columnsOf(names, edges) {
  const columns = new Map(names.map((name) => [name, 0]));
  for (let round = 0; round < names.length; round++) {
    let isChanged = false;
    for (const { from, to } of edges) {
      const least = (columns.get(from) ?? 0) + 1;
      if ((columns.get(to) ?? 0) >= least) continue;
      columns.set(to, least);
      isChanged = true;
    }
    if (!isChanged) break;
  }
  return columns;
}

/**
 * The place of each vessel and the size of the graph.
 *
 * @param {string[]} names
 * @param {Edge[]} edges
 */
function layout(names, edges) {
  const columns = columnsOf(names, edges);
  /** @type {number[]} */
  const counts = [];
  /** @type {Map<string, Place>} */
  const places = new Map();
  for (const name of names) {
    const x = columns.get(name) ?? 0;
    const y = counts[x] ?? 0;
    counts[x] = y + 1;
    places.set(name, { x: PAD + x * (WIDTH + GAP_X), y: PAD + y * (HEIGHT + GAP_Y) });
  }
  const width = 2 * PAD + counts.length * WIDTH + (counts.length - 1) * GAP_X;
  const height = 2 * PAD + Math.max(...counts) * (HEIGHT + GAP_Y) - GAP_Y;
  return { places, width, height };
}

/** @param {string} path */
const tip = (path) =>
  svg(
    'marker',
    {
      id: `tip-${path}`,
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      orient: 'auto',
    },
    svg('path', { class: `tip ${path}`, d: 'M0 0 8 4 0 8z' }),
  );

/**
 * @param {Path} path
 * @param {Place} from
 * @param {Place} to
 */
function arrow(path, from, to) {
  const x1 = from.x + WIDTH;
  const y1 = from.y + HEIGHT / 2;
  const x2 = to.x;
  const y2 = to.y + HEIGHT / 2;
  const bend = Math.max(30, (x2 - x1) / 2);
  const middle = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 4, 'text-anchor': 'middle' };
  return svg(
    'g',
    null,
    svg('path', {
      class: `edge ${path}`,
      d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      'marker-end': `url(#tip-${path})`,
    }),
    svg('text', { class: 'edge-word', ...middle }, path.toLowerCase()),
  );
}

/**
 * @param {VesselDefinition} vessel
 * @param {Place} place
 */
function box({ name, language, kind }, { x, y }) {
  const isLong = name.length > LONGEST_NAME;
  const shown = isLong ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
  const sort = (language ?? kind ?? '').toLowerCase();
  return svg(
    'g',
    null,
    svg('title', null, name),
    svg('rect', { class: 'vessel', x, y, width: WIDTH, height: HEIGHT, rx: 8 }),
    svg('text', { class: 'vessel-name', x: x + 12, y: y + 18 }, shown),
    svg('text', { class: 'vessel-kind', x: x + 12, y: y + 32 }, sort),
  );
}

/** @param {Definition} definition */
export function graph({ vessels, connections }) {
  const names = vessels.map((vessel) => vessel.name);
  const edges = Object.entries(connections).flatMap(([from, targets]) =>
    Object.entries(targets).map(([to, path]) => ({ from, to, path })),
  );
  const { places, width, height } = layout(names, edges);
  const placeOf = (/** @type {string} */ name) => places.get(name) ?? { x: 0, y: 0 };
  const words = edges.map(({ from, to, path }) => `${from} to ${to} on ${path.toLowerCase()}`);
  return svg(
    'svg',
    {
      class: 'graph',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': `${names.length} vessels: ${words.join(', ') || 'none depends on another'}`,
    },
    svg('defs', null, PATHS.map(tip)),
    edges.map(({ from, to, path }) => arrow(path, placeOf(from), placeOf(to))),
    vessels.map((vessel) => box(vessel, placeOf(vessel.name))),
  );
}
