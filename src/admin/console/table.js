// Tables that can be redrawn at any time and change only where their items have changed. In a
// narrow window a row becomes a block of a few lines (app.css), in which cells name their columns.
import { h, keyed } from './dom.js';
import { scrollable } from './widgets.js';

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
    const attributes = { class: column.class, role: 'cell', 'data-title': column.title };
    const cell = h('td', attributes, column.cell(item));
    const shown = row.cells[i];
    if (!shown) row.append(cell);
    else if (!cell.isEqualNode(shown)) shown.replaceWith(cell);
  });
}

/**
 * A table with a row for each item passed to draw(). `key` identifies an item. The elements have
 * their roles in so many words, because browsers forget them when a row becomes a block.
 *
 * @template Item
 * @param {string} name read by screen readers
 * @param {Column<Item>[]} columns
 * @param {(item: Item) => unknown} key
 */
export function table(name, columns, key) {
  const body = h('tbody', { role: 'rowgroup' });
  const titles = columns.map((column) =>
    h('th', { class: column.class, role: 'columnheader' }, column.title),
  );
  const head = h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, titles));
  const whole = h('table', { role: 'table', 'aria-label': name }, head, body);
  return {
    element: scrollable(h('div', { class: 'table' }, whole), name, whole),
    /** @param {readonly Item[]} items */
    draw(items) {
      keyed(
        body,
        items,
        key,
        () => h('tr', { role: 'row' }),
        (row, item) => fillIn(row, columns, item),
      );
    },
  };
}
