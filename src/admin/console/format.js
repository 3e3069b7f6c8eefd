// Formats times, durations, sizes and ids for display.
import { h } from './dom.js';

/** @import { Timed, VesselRunStatus } from './types.d.ts' */

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' });
// The page is in English, so its digits and months are, too.
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dateAndClock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/**
 * Units of time, each with how many of them make the next unit.
 *
 * @type {[Intl.RelativeTimeFormatUnit, number][]}
 */
const units = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
  ['month', 12],
  ['year', Infinity],
];

/** @param {string} text */
function ago(text) {
  let value = Math.round((Date.parse(text) - Date.now()) / 1000);
  if (Math.abs(value) < 5) return 'just now';
  for (const [unit, count] of units) {
    if (Math.abs(value) < count) return relative.format(value, unit);
    value = Math.trunc(value / count);
  }
  return '';
}

/**
 * "3m ago", with the exact time on hover. The text is kept up to date.
 *
 * @param {string | null | undefined} text
 * @param {string} [never] shown if there is no time
 */
export function time(text, never = '–') {
  if (!text) return h('span', { class: 'none' }, never);
  return h('time', { datetime: text, title: exactly(text), 'data-ago': '' }, ago(text));
}

/** @param {string} text */
export const exactly = (text) => exact.format(new Date(text));

/** @param {string} text */
export const clockTime = (text) => clock.format(new Date(text));

export const clockNow = () => clock.format(new Date());

/**
 * The date and the time of day.
 *
 * @param {string | null} text
 */
export const dateTime = (text) => (text ? dateAndClock.format(new Date(text)) : '–');

/**
 * From when to when something ran: the second date is left out if it is the same.
 *
 * @param {string} start
 * @param {string} end
 */
export function fromTo(start, end) {
  const isSameDay = new Date(start).toDateString() === new Date(end).toDateString();
  return `${dateTime(start)} – ${isSameDay ? clock.format(new Date(end)) : dateTime(end)}`;
}

/**
 * Units of time in seconds, the largest first.
 *
 * @type {[number, string][]}
 */
const parts = [
  [86400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** @param {number} ms */
export function duration(ms) {
  if (!(ms >= 0)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  let seconds = Math.round(ms / 1000);
  const words = [];
  for (const [length, unit] of parts) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.slice(0, 2).join(' ');
}

/**
 * How long a run took, or has taken so far, in milliseconds. NaN if it has not started.
 *
 * @param {Timed} timed
 */
export function took({ started_at: start, ended_at: end }) {
  if (!start) return NaN;
  return (end ? Date.parse(end) : Date.now()) - Date.parse(start);
}

/**
 * The same as text, which is kept up to date while the run continues.
 *
 * @param {Timed} timed
 */
export function elapsed(timed) {
  const text = duration(took(timed));
  const isGoingOn = timed.started_at && !timed.ended_at;
  return isGoingOn ? h('span', { 'data-since': timed.started_at }, text) : text;
}

/**
 * Keeps the text of all elements with an attribute up to date.
 *
 * @param {string} attribute
 * @param {number} everyMs
 * @param {(element: HTMLElement) => string} textOf
 */
function keepTrue(attribute, everyMs, textOf) {
  setInterval(() => {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      if (!(element instanceof HTMLElement)) continue;
      const text = textOf(element);
      if (element.textContent !== text) element.textContent = text;
    }
  }, everyMs);
}
keepTrue('data-ago', 5000, (element) => ago(element.getAttribute('datetime') ?? ''));
keepTrue('data-since', 1000, (element) =>
  duration(Date.now() - Date.parse(element.dataset.since ?? '')),
);

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ['KB', 'MB', 'GB', 'TB']) {
    value /= 1000;
    if (value < 1000) return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
  }
  return `${value} PB`;
}

/**
 * The beginning and end of an id: enough to tell ids of the same hour apart.
 *
 * @param {string} id
 */
export const shortId = (id) => `${id.slice(0, 8)}…${id.slice(-4)}`;

/**
 * The name of a key, or "user" and the name of a user of the admin socket.
 *
 * @param {string} who as the API names a caller
 */
export const callerName = (who) => who.replace(/^key /, '');

/** @param {VesselRunStatus} status */
export const ended = (status) => !['scheduled', 'running', 'retrying'].includes(status);
