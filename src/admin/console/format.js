// Values as people read them.
import { h } from './dom.js';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const units = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
  ['month', 12],
  ['year', Infinity],
];

function ago(date) {
  let value = Math.round((date - Date.now()) / 1000);
  if (Math.abs(value) < 5) return 'just now';
  for (const [unit, size] of units) {
    if (Math.abs(value) < size) return relative.format(value, unit);
    value = Math.trunc(value / size);
  }
  return '';
}

/** "3 min ago", with the exact time on hover. The text is kept true. */
export function time(text, never = '–') {
  if (!text) return h('span', { class: 'none' }, never);
  const date = new Date(text);
  return h('time', { datetime: text, title: exact.format(date), 'data-ago': '' }, ago(date));
}

/** A time as on hover. */
export const exactly = (text) => exact.format(new Date(text));
export const clockNow = () => clock.format(new Date());
export const timeOfDay = (text) => (text ? clock.format(new Date(text)) : '–');

export function duration(ms) {
  if (!(ms >= 0)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
    .map(([size, unit], i, all) => [
      Math.floor((i ? seconds % all[i - 1][0] : seconds) / size),
      unit,
    ])
    .filter(([count]) => count > 0)
    .slice(0, 2);
  return parts.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** How long a run or vessel run took, or has taken so far. */
export const took = (run) =>
  run.started_at
    ? (run.ended_at ? new Date(run.ended_at) : Date.now()) - new Date(run.started_at)
    : NaN;

/** The same in words. The text is kept true while it goes on. */
export const elapsed = (run) =>
  run.started_at && !run.ended_at
    ? h('span', { 'data-since': run.started_at }, duration(took(run)))
    : duration(took(run));

function keepTrue(selector, everyMs, textOf) {
  setInterval(() => {
    for (const element of document.querySelectorAll(selector)) {
      const text = textOf(element);
      if (element.textContent !== text) element.textContent = text;
    }
  }, everyMs);
}
keepTrue('time[data-ago]', 5000, (element) => ago(new Date(element.dateTime)));
keepTrue('[data-since]', 1000, (element) =>
  duration(Date.now() - Date.parse(element.dataset.since)),
);

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ['KB', 'MB', 'GB', 'TB']) {
    value /= 1000;
    if (value < 1000) return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
  }
  return `${value} PB`;
}

/** The two ends that tell ids of one hour apart. */
export const shortId = (id) => `${id.slice(0, 8)}…${id.slice(-4)}`;
export const ended = (status) => !['scheduled', 'running', 'retrying'].includes(status);
