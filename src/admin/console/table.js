// Tables that can be redrawn at any time and change only where their items have changed.
import { h, keyed } from './dom.js';

/** @import { Column } from './types.d.ts' */

/**
 * Fills in a row. A cell that looks the same is kept, so its buttons may depend only on what it
 * shows and on the key.
 *
 * @template Item
 * @param {HTMLTableRowElement} row
 * @param {Column<Item>[]} columns
 * @param {Item} item
 */
function fillIn(row, columns, item) {
  columns.forEach((column, i) => {
    const cell = h('td', { class: column.class }, column.cell(item));
    const shown = row.cells[i];
    if (!shown) row.append(cell);
    else if (!cell.isEqualNode(shown)) shown.replaceWith(cell);
  });
}

/**
 * A table with a row for each item passed to draw(). `key` identifies an item.
 *
 * @template Item
 * @param {Column<Item>[]} columns
 * @param {(item: Item) => unknown} key
 */
export function table(columns, key) {
  const body = h('tbody');
  const titles = columns.map((column) => h('th', { class: column.class }, column.title));
  const head = h('thead', null, h('tr', null, titles));
  return {
    element: h('div', { class: 'table' }, h('table', null, head, body)),
    /** @param {readonly Item[]} items */
    draw(items) {
      keyed(
        body,
        items,
        key,
        () => h('tr'),
        (row, item) => fillIn(row, columns, item),
      );
    },
  };
}
