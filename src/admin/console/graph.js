// The vessels of a fleet as a picture: who comes first stands left, each arrow says on what.
import { svg } from './dom.js';

const WIDTH = 150,
  HEIGHT = 40,
  GAP_X = 90,
  GAP_Y = 18,
  PAD = 8;

/** The column of each vessel: one behind the last that leads to it. */
function columns(names, edges) {
  const column = new Map(names.map((name) => [name, 0]));
  for (let round = 0; round < names.length; round++) {
    let changed = false;
    for (const { from, to } of edges)
      if (column.get(to) <= column.get(from)) {
        column.set(to, column.get(from) + 1);
        changed = true;
      }
    if (!changed) break;
  }
  return column;
}

export function graph(definition) {
  const names = definition.vessels.map((vessel) => vessel.name);
  const edges = Object.entries(definition.connections ?? {}).flatMap(([from, targets]) =>
    Object.entries(targets).map(([to, path]) => ({ from, to, path })),
  );
  const column = columns(names, edges),
    rows = [],
    places = new Map();
  for (const name of names) {
    const x = column.get(name),
      y = rows[x] ?? 0;
    rows[x] = y + 1;
    places.set(name, { x: PAD + x * (WIDTH + GAP_X), y: PAD + y * (HEIGHT + GAP_Y) });
  }
  const width = 2 * PAD + rows.length * WIDTH + (rows.length - 1) * GAP_X;
  const height = 2 * PAD + Math.max(...rows) * (HEIGHT + GAP_Y) - GAP_Y;
  return svg(
    'svg',
    {
      class: 'graph',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': `${names.length} vessels: ${edges.map(({ from, to, path }) => `${from} to ${to} on ${String(path).toLowerCase()}`).join(', ') || 'none depends on another'}`,
    },
    svg(
      'defs',
      null,
      ['SUCCESS', 'ERRORED', 'COMPLETED'].map((path) =>
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
        ),
      ),
    ),
    edges.map(({ from, to, path }) => {
      const a = places.get(from),
        b = places.get(to);
      const x1 = a.x + WIDTH,
        y1 = a.y + HEIGHT / 2,
        x2 = b.x,
        y2 = b.y + HEIGHT / 2,
        bend = Math.max(30, (x2 - x1) / 2);
      return svg(
        'g',
        null,
        svg('path', {
          class: `edge ${path}`,
          d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
          'marker-end': `url(#tip-${path})`,
        }),
        svg(
          'text',
          { class: 'edge-word', x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 4, 'text-anchor': 'middle' },
          String(path).toLowerCase(),
        ),
      );
    }),
    definition.vessels.map((vessel) => {
      const { x, y } = places.get(vessel.name);
      return svg(
        'g',
        null,
        svg('title', null, vessel.name),
        svg('rect', { class: 'vessel', x, y, width: WIDTH, height: HEIGHT, rx: 8 }),
        svg(
          'text',
          { class: 'vessel-name', x: x + 12, y: y + 18 },
          vessel.name.length > 18 ? `${vessel.name.slice(0, 17)}…` : vessel.name,
        ),
        svg(
          'text',
          { class: 'vessel-kind', x: x + 12, y: y + 32 },
          (vessel.language ?? vessel.kind ?? '').toLowerCase(),
        ),
      );
    }),
  );
}
