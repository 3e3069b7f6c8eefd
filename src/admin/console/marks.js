// The mark of each status: a shape of its own, because colours alone tell nothing to many people.
import { svg } from './dom.js';

/** @import { VesselRunStatus } from './types.d.ts' */
/** @typedef {VesselRunStatus | 'blank'} Mark "blank" stands for a run that does not exist */

/**
 * The shapes, in a square of 16 × 16.
 *
 * @type {Record<Mark, {d: string, isFilled?: boolean}>}
 */
const shapes = {
  scheduled: { d: 'M8 2a6 6 0 1 0 .01 0zM8 4.5V8l2.5 1.5' },
  running: { d: 'M4 2 14 8 4 14z', isFilled: true },
  retrying: { d: 'M13.2 8.5a5.3 5.3 0 1 1-1.5-4.2M13.4 1.6v3.6H9.8' },
  success: { d: 'M2.5 8.5 6.5 12.5 13.5 3.5' },
  errored: { d: 'M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5' },
  terminated: { d: 'M3 3h10v10H3z', isFilled: true },
  incomplete: { d: 'M8 2a6 6 0 1 0 .01 0zM3.8 12.2 12.2 3.8' },
  blank: { d: 'M6.5 8h3' },
};

/**
 * The shape as a path of another picture.
 *
 * @param {Mark} name
 */
export const markPath = (name) => ({
  class: `mark ${name}${shapes[name].isFilled ? ' filled' : ''}`,
  d: shapes[name].d,
});

/** @param {Mark} name */
export const mark = (name) =>
  svg(
    'svg',
    { viewBox: '0 0 16 16', width: 13, height: 13, 'aria-hidden': 'true' },
    svg('path', markPath(name)),
  );
