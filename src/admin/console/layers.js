// Places the vessels of a graph in columns: each stands to the right of all vessels that lead to
// it. An edge that skips columns passes each of them in a lane of its own, so it never runs through
// a box. Columns are ordered so that few edges cross (Sugiyama, Tagawa and Toda 1981). Pure;
// graph.js draws the result.

/**
 * An entry of a column: a vessel, or the lane of an edge that passes.
 *
 * @typedef {object} Item
 * @property {boolean} isLane
 * @property {number} column
 * @property {number} y of its centre
 * @property {Item[]} before its neighbours in the column to the left
 * @property {Item[]} after its neighbours in the column to the right
 */
/** @typedef {{from: string, to: string}} Edge */

export const WIDTH = 150;
export const HEIGHT = 40;
export const GAP_X = 110;
const GAP_Y = 18;
const LANE_HEIGHT = 14;
const PAD = 8;
const ROUNDS = 12;
/** With more lanes than this, edges that skip columns pass below the graph. */
const MOST_LANES = 5000;

/**
 * The column of each vessel: one to the right of the rightmost vessel that leads to it.
 *
 * @param {string[]} names
 * @param {Edge[]} edges of a graph without cycles
 */
function columnsOf(names, edges) {
  const columns = new Map(names.map((name) => [name, 0]));
  const column = (/** @type {string} */ name) => columns.get(name) ?? 0;
  for (let round = 0; round < names.length; round++) {
    const late = edges.filter(({ from, to }) => column(to) <= column(from));
    if (late.length === 0) break;
    for (const { from, to } of late) columns.set(to, Math.max(column(to), column(from) + 1));
  }
  return columns;
}

/**
 * @param {boolean} isLane
 * @param {number} column
 * @returns {Item}
 */
const newItem = (isLane, column) => ({ isLane, column, y: 0, before: [], after: [] });

/**
 * @param {Item} left
 * @param {Item} right
 */
function join(left, right) {
  left.after.push(right);
  right.before.push(left);
}

/**
 * The items of each column, those of the vessels by name, and the lanes of each edge.
 *
 * @param {string[]} names
 * @param {Edge[]} edges
 */
function itemsOf(names, edges) {
  const columns = columnsOf(names, edges);
  const vessels = new Map(names.map((name) => [name, newItem(false, columns.get(name) ?? 0)]));
  const itemOf = (/** @type {string} */ name) => vessels.get(name) ?? newItem(false, 0);
  const skipped = (/** @type {Edge} */ { from, to }) => itemOf(to).column - itemOf(from).column - 1;
  const isBelow = edges.reduce((sum, edge) => sum + skipped(edge), 0) > MOST_LANES;
  /** @type {Item[][]} */
  const grid = [];
  const put = (/** @type {Item} */ item) => (grid[item.column] ??= []).push(item);
  vessels.forEach(put);
  const lanes = edges.map((edge) => {
    const count = skipped(edge);
    if (isBelow && count > 0) return null;
    const first = itemOf(edge.from);
    const passed = Array.from({ length: count }, (_, i) => newItem(true, first.column + 1 + i));
    passed.forEach(put);
    const path = [first, ...passed, itemOf(edge.to)];
    for (let i = 1; i < path.length; i++) join(path[i - 1], path[i]);
    return passed;
  });
  return { vessels, grid, lanes };
}

/* ---- the order within each column ---- */

/** @param {Item[][]} grid */
function numbered(grid) {
  const places = new Map();
  for (const column of grid) column.forEach((item, i) => places.set(item, i));
  return places;
}

/**
 * The number of crossings between a column and the next one: of pairs of edges whose ends are in
 * opposite order.
 *
 * @param {Item[]} column
 * @param {Map<Item, number>} places
 * @param {number} size of the next column
 */
function crossingsAfter(column, places, size) {
  const tree = new Uint32Array(size + 1); // how many edges end at each place: a Fenwick tree
  let sum = 0;
  let ended = 0;
  for (const item of column) {
    const targets = item.after.map((one) => places.get(one) ?? 0).sort((a, b) => a - b);
    for (const target of targets) {
      let upTo = 0;
      for (let i = target + 1; i > 0; i -= i & -i) upTo += tree[i];
      sum += ended - upTo;
    }
    for (const target of targets) {
      for (let i = target + 1; i <= size; i += i & -i) tree[i]++;
      ended++;
    }
  }
  return sum;
}

/** @param {Item[][]} grid */
function crossings(grid) {
  const places = numbered(grid);
  return grid.reduce(
    (sum, column, i) => sum + crossingsAfter(column, places, grid[i + 1]?.length ?? 0),
    0,
  );
}

/**
 * @param {Item[]} items
 * @param {(item: Item) => number} value
 */
const mean = (items, value) => items.reduce((sum, item) => sum + value(item), 0) / items.length;

/**
 * Sorts each column by the mean place of its neighbours, from left to right and back, and keeps the
 * best order.
 *
 * @param {Item[][]} grid
 */
function ordered(grid) {
  let best = grid;
  let fewest = crossings(grid);
  let now = grid;
  for (let round = 0; round < ROUNDS && fewest > 0; round++) {
    const isForward = round % 2 === 0;
    now = now.map((column) => column.slice());
    const places = numbered(now);
    for (const column of isForward ? now : now.toReversed()) {
      const wanted = new Map(
        column.map((item, i) => {
          const known = isForward ? item.before : item.after;
          return [item, known.length > 0 ? mean(known, (one) => places.get(one) ?? 0) : i];
        }),
      );
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      column.forEach((item, i) => places.set(item, i));
    }
    const count = crossings(now);
    if (count < fewest) [best, fewest] = [now, count];
  }
  return best;
}

/* ---- heights ---- */

/** @param {Item} item */
const half = (item) => (item.isLane ? LANE_HEIGHT : HEIGHT + GAP_Y) / 2;

/**
 * Moves the items of a column as near as possible to where they want to be, in their order and
 * without overlaps: an isotonic regression by pooling adjacent violators.
 *
 * @param {Item[]} column
 * @param {(item: Item) => number} wanted
 */
function settle(column, wanted) {
  /** @type {{mean: number, count: number}[]} */
  const pools = [];
  /** @type {number[]} */
  const offsets = [];
  let offset = 0;
  column.forEach((item, i) => {
    offset += i > 0 ? half(column[i - 1]) + half(item) : 0;
    offsets.push(offset);
    let pool = { mean: wanted(item) - offset, count: 1 };
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      const count = last.count + pool.count;
      pool = { mean: (last.mean * last.count + pool.mean * pool.count) / count, count };
      pools.pop();
    }
    pools.push(pool);
  });
  let i = 0;
  for (const pool of pools)
    for (let n = 0; n < pool.count; n++, i++) column[i].y = pool.mean + offsets[i];
}

/** @param {Item[][]} grid */
function setHeights(grid) {
  for (const column of grid) settle(column, () => 0);
  for (let round = 0; round < ROUNDS; round++) {
    const isForward = round % 2 === 0;
    for (const column of isForward ? grid : grid.toReversed())
      settle(column, (item) => {
        const known = isForward ? item.before : item.after;
        return known.length > 0 ? mean(known, (one) => one.y) : item.y;
      });
  }
  const top = Math.min(...grid.flat().map((item) => item.y - half(item)));
  for (const item of grid.flat()) item.y = Math.round(item.y - top - GAP_Y / 2) + PAD;
}

/* ---- the layout ---- */

const xOf = (/** @type {number} */ column) => PAD + column * (WIDTH + GAP_X);

/**
 * The place of the top left corner of each vessel, by name; for each edge the height of its lane in
 * each column that it skips, from left to right; and the size of the graph. An edge with lanes
 * `null` skips columns below the graph, at `below`.
 *
 * @param {string[]} names
 * @param {Edge[]} edges of a graph without cycles
 */
export function layout(names, edges) {
  const { vessels, grid, lanes } = itemsOf(names, edges);
  setHeights(ordered(grid));
  const places = new Map(
    [...vessels].map(([name, { column, y }]) => [name, { x: xOf(column), y: y - HEIGHT / 2 }]),
  );
  const bottom = Math.max(...grid.flat().map((item) => item.y + half(item))) - GAP_Y / 2 + PAD;
  const hasBelow = lanes.includes(null);
  return {
    places,
    lanes: lanes.map((passed) => passed && passed.map(({ column, y }) => ({ x: xOf(column), y }))),
    below: bottom,
    width: xOf(grid.length - 1) + WIDTH + PAD,
    height: bottom + (hasBelow ? LANE_HEIGHT : 0),
  };
}
