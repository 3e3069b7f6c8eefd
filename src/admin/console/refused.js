// The part of the Triggers tab about requests that were refused: how many, and why.
import { getMetrics } from './api.js';
import { h, show } from './dom.js';
import { table } from './table.js';

/** @import { Column, Webhook } from './types.d.ts' */

/**
 * How often an answer was given; `status` is null if a connection was closed without one.
 *
 * @typedef {{status: number | null, count: number}} Answered
 */

/** @type {Record<number, string | undefined>} */
const reasons = {
  400: 'the token belongs to no webhook, or the HTTP is malformed',
  404: 'the path is not that of a webhook',
  405: 'the method is not POST',
  413: 'the body is too large',
  431: 'the headers are too large',
  503: 'the request could not be stored at that moment',
};

const ANSWERS = /^webhookd_hooks_answers_total\{status="([0-9]+)"\} ([0-9]+)$/gm;
const UNANSWERED = /^webhookd_hooks_unanswered_total ([0-9]+)$/m;

/**
 * The refusals among the metrics, which are in Prometheus' text format.
 *
 * @param {string} metrics
 * @returns {Answered[]}
 */
function refusalsIn(metrics) {
  const answers = [...metrics.matchAll(ANSWERS)].map(([, status, count]) => ({
    status: Number(status),
    count: Number(count),
  }));
  const unanswered = { status: null, count: Number(UNANSWERED.exec(metrics)?.[1] ?? 0) };
  return [...answers, unanswered].filter(({ status, count }) => count > 0 && status !== 201);
}

/** @type {Column<Answered>[]} */
const columns = [
  { title: 'Answer', cell: ({ status }) => String(status ?? 'none') },
  {
    title: 'Reason',
    class: 'wide',
    cell: ({ status }) =>
      status === null
        ? 'the connection was closed without an answer'
        : (reasons[status] ?? 'unknown'),
  },
  { title: 'Requests', class: 'number', cell: ({ count }) => String(count) },
];

/** draw() takes the webhook, and reads the numbers of all webhooks. */
export function refusedRequests() {
  const own = h('p');
  const others = h('p', { class: 'soft' });
  const list = table('Refused requests', columns, ({ status }) => status);
  const element = h(
    'section',
    { class: 'refusals' },
    h('h2', null, 'Refused requests'),
    own,
    others,
    list.element,
  );

  /** @param {Webhook} webhook */
  async function draw({ requests: { refused } }) {
    const count =
      refused === 0 ? 'No request' : `${refused} ${refused === 1 ? 'request' : 'requests'}`;
    show(own, `${count} to this webhook ${refused > 1 ? 'were' : 'was'} refused today.`);
    const refusals = refusalsIn(await getMetrics());
    show(
      others,
      refusals.length === 0
        ? 'No request to any webhook was refused since webhookd started.'
        : 'Refused since webhookd started, for all webhooks and for URLs that belong to none:',
    );
    list.element.hidden = refusals.length === 0;
    list.draw(refusals);
  }
  return { element, draw };
}
