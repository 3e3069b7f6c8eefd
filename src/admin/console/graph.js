// Draws the graph of a fleet. A vessel stands to the right of all vessels that lead to it
// (layers.js). Beside each arrow stands the result that it waits for.
import { svg } from './dom.js';
import { GAP_X, HEIGHT, layout, WIDTH } from './layers.js';

/** @import { Definition, Path, VesselDefinition } from './types.d.ts' */
/** @typedef {{x: number, y: number}} Place */
/** @typedef {{from: string, to: string, path: Path}} Edge */
/** @typedef {ReturnType<typeof layout>} Layout */

const LONGEST_NAME = 18;
const PATHS = ['SUCCESS', 'ERRORED', 'COMPLETED'];
const LABEL_WIDTH = 62;
const LABEL_HEIGHT = 12;
/** Where a label may stand along the curve from one column to the next, the best place first. */
const LABEL_AT = [0.5, 0.36, 0.64, 0.25, 0.75];

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

/* ---- edges ---- */

/**
 * The curves of an edge: each leads from the right side of a column to the left side of the next.
 * Between two curves the edge runs straight through its lane.
 *
 * @param {Layout} found
 * @param {Edge} edge
 * @param {readonly Place[] | null} lanes
 */
function curvesOf({ places, below }, edge, lanes) {
  const from = places.get(edge.from) ?? { x: 0, y: 0 };
  const to = places.get(edge.to) ?? { x: 0, y: 0 };
  const start = { x: from.x + WIDTH, y: from.y + HEIGHT / 2 };
  const end = { x: to.x, y: to.y + HEIGHT / 2 };
  const stops = lanes ?? [{ x: start.x + GAP_X, y: below }];
  const length = lanes ? WIDTH : end.x - start.x - 2 * GAP_X;
  const curves = [];
  let last = start;
  for (const { x, y } of stops) {
    curves.push({ from: last, to: { x, y } });
    last = { x: x + length, y };
  }
  return [...curves, { from: last, to: end }];
}

/** @param {{from: Place, to: Place}[]} curves */
const lineOf = (curves) =>
  curves
    .map(({ from, to }, i) => {
      const bend = (to.x - from.x) / 2;
      const start = i === 0 ? `M${from.x} ${from.y}` : `L${from.x} ${from.y}`;
      return `${start}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
    })
    .join('');

/**
 * A point of the curve that lineOf() draws.
 *
 * @param {{from: Place, to: Place}} curve
 * @param {number} t from 0 to 1
 */
function pointOf({ from, to }, t) {
  const along = 1.5 * t * (1 - t) + t ** 3; // the control points are half-way
  const across = t * t * (3 - 2 * t);
  return { x: from.x + along * (to.x - from.x), y: from.y + across * (to.y - from.y) };
}

/**
 * Finds a place for the label of each edge where it covers no other label.
 *
 * @param {{from: Place, to: Place}[][]} edges
 */
function labelPlaces(edges) {
  /** @type {Place[]} */
  const taken = [];
  return edges.map((curves) => {
    const candidates = curves.flatMap((curve) =>
      LABEL_AT.map((t) => {
        const { x, y } = pointOf(curve, t);
        return { x, y: y - 5 };
      }),
    );
    const isFree = (/** @type {Place} */ { x, y }) =>
      taken.every((one) => Math.abs(one.x - x) > LABEL_WIDTH || Math.abs(one.y - y) > LABEL_HEIGHT);
    const place = candidates.find(isFree) ?? candidates[0];
    taken.push(place);
    return place;
  });
}

/**
 * @param {Path} path
 * @param {{from: Place, to: Place}[]} curves
 */
const arrow = (path, curves) =>
  svg('path', {
    class: `edge ${path}`,
    d: lineOf(curves),
    'marker-end': `url(#tip-${path})`,
  });

/**
 * @param {Path} path
 * @param {Place} place
 */
const label = (path, place) =>
  svg('text', { class: 'edge-word', ...place, 'text-anchor': 'middle' }, path.toLowerCase());

/* ---- vessels ---- */

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
  const found = layout(names, edges);
  const { places, lanes, width, height } = found;
  const curves = edges.map((edge, i) => curvesOf(found, edge, lanes[i]));
  const labels = labelPlaces(curves);
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
    edges.map(({ path }, i) => arrow(path, curves[i])),
    vessels.map((vessel) => box(vessel, places.get(vessel.name) ?? { x: 0, y: 0 })),
    edges.map(({ path }, i) => label(path, labels[i])),
  );
}
