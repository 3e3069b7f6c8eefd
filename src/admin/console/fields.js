// Fields whose values are in the page's address, so that they survive a visit to another page and
// can be shared.
import { rename } from './navigate.js';

/** @typedef {Record<string, HTMLInputElement | HTMLSelectElement>} Fields by parameter */

/**
 * Sets the fields to what the address says. A field that it does not have, or a choice that does
 * not exist, becomes ''.
 *
 * @param {Fields} fields
 */
export function fromAddress(fields) {
  const wanted = new URLSearchParams(location.search);
  for (const [name, field] of Object.entries(fields)) {
    field.value = wanted.get(name) ?? '';
    const isChoice = field instanceof HTMLInputElement || field.selectedIndex >= 0;
    if (!isChoice) field.value = '';
  }
}

/**
 * Writes the fields that are not empty into the address.
 *
 * @param {Fields} fields
 */
export function toAddress(fields) {
  const wanted = new URLSearchParams();
  for (const [name, field] of Object.entries(fields))
    if (field.value.trim()) wanted.set(name, field.value.trim());
  rename(location.pathname + (wanted.size > 0 ? `?${wanted}` : ''));
}
