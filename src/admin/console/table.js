// Tables that are drawn again and again, and change only where something did.
import { h, keyed } from './dom.js';

/** A cell that looks the same stays: its buttons may depend only on what it shows and on the key. */
function fillIn(row, columns, item) {
  columns.forEach((column, i) => {
    const cell = h('td', { class: column.class }, column.cell(item));
    if (!row.cells[i]) row.append(cell);
    else if (!cell.isEqualNode(row.cells[i])) row.cells[i].replaceWith(cell);
  });
}

/**
 * A table with a row for each item, and for each column a `title`, a `class` of all its cells, and
 * `cell`, which makes an item's children. `key` tells items apart. draw() shows these items.
 */
export function table(columns, key) {
  const body = h('tbody');
  const titles = columns.map((column) => h('th', { class: column.class }, column.title));
  const head = h('thead', null, h('tr', null, titles));
  return {
    element: h('div', { class: 'table' }, h('table', null, head, body)),
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
