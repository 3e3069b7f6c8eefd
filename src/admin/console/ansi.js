// Output as a terminal shows it. SGR sequences (ECMA-48 8.3.117, with xterm's palette and direct
// colours) become classes; all other control sequences are removed. lines.js calls this.
import { h } from './dom.js';

/** @import { Child } from './types.d.ts' */

/**
 * The number of one of the first sixteen colours, which the style sheet defines for light and dark,
 * or "rgb(…)". piece() also uses the names "back" and "text".
 *
 * @typedef {number | string} Colour
 */
/** @typedef {'bold' | 'dim' | 'italic' | 'underline' | 'strike' | 'inverse'} Attribute */
/**
 * `link` is the address that OSC 8 gives to the text, or null.
 *
 * @typedef {Record<Attribute, boolean> &
 *   {fore: Colour | null, back: Colour | null, link: string | null}} State
 */

/** @type {State} */
const PLAIN = {
  fore: null,
  back: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  link: null,
};

/** @type {Record<number, Attribute | undefined>} */
const ON = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline', 7: 'inverse', 9: 'strike' };

/** @type {Record<number, Attribute[] | undefined>} */
const OFF = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
};

/** @type {Attribute[]} */
const SHOWN = ['bold', 'dim', 'italic', 'underline', 'strike'];

/** @param {...number} parts */
const rgb = (...parts) => `rgb(${parts.map((part) => Math.min(255, part || 0)).join(' ')})`;

const cube = [0, 95, 135, 175, 215, 255];

/**
 * A colour of the 256-colour palette.
 *
 * @param {number} n
 */
function ofPalette(n) {
  if (!(n <= 255)) return null;
  if (n < 16) return n;
  if (n >= 232) return rgb(...Array(3).fill(8 + 10 * (n - 232)));
  const inCube = n - 16;
  return rgb(cube[Math.floor(inCube / 36)], cube[Math.floor(inCube / 6) % 6], cube[inCube % 6]);
}

/**
 * The colour after code 38, 48 or 58. It is either "5;n" or "2;r;g;b", which consumes codes from
 * `rest`, or "5:n" or "2::r:g:b" within the code itself.
 *
 * @param {string} code
 * @param {string[]} rest
 */
function longColour(code, rest) {
  const parts = code.split(':').slice(1);
  const kind = parts.length > 0 ? parts[0] : rest.shift();
  if (kind === '5') return ofPalette(Number(parts.length > 0 ? parts[1] : rest.shift()));
  if (kind !== '2') return null;
  return rgb(...(parts.length > 0 ? parts.slice(-3) : rest.splice(0, 3)).map(Number));
}

// SEQUENCE matches CSI sequences and the OSC 8 that begins or ends a link. OTHER matches all other
// control strings (such as OSC, up to BEL or ST) and short escape sequences.
const SEQUENCE = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\]8;[^\x07\x1b;]*;([^\x07\x1b]*)(?:\x07|\x1b\\)/;
const ALL_SEQUENCES = new RegExp(SEQUENCE, 'g');
const OTHER =
  /\x1b(?!\]8;)[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]/g;
const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/g;

/**
 * The start and end of what follows the last carriage return within a line: a terminal overwrites
 * what precedes it.
 *
 * @param {string} text
 * @returns {[number, number]}
 */
function lastWritten(text) {
  const end = text.replace(/\r+$/, '');
  return [end.lastIndexOf('\r') + 1, end.length];
}

/**
 * The text of a line without escape sequences.
 *
 * @param {string} text
 */
export function plain(text) {
  const written = text.includes('\r') ? text.slice(...lastWritten(text)) : text;
  return written.includes('\x1b') ? written.replace(ALL_SEQUENCES, '').replace(OTHER, '') : written;
}

/**
 * @param {State} state
 * @param {string} codes
 */
function setState(state, codes) {
  if (/^[<-?]/.test(codes)) return; // private parameters do not affect the style
  const rest = codes.split(';');
  while (rest.length > 0) {
    const part = rest.shift() ?? '';
    const code = parseInt(part, 10) || 0;
    const on = ON[code];
    const off = OFF[code];
    if (code === 0) Object.assign(state, PLAIN, { link: state.link });
    else if (on) state[on] = part !== '4:0';
    else if (off) for (const name of off) state[name] = false;
    else if (code === 38) state.fore = longColour(part, rest);
    else if (code === 48) state.back = longColour(part, rest);
    else if (code === 58)
      longColour(part, rest); // the underline's colour is not shown
    else if (code === 39) state.fore = null;
    else if (code === 49) state.back = null;
    else if (code >= 30 && code <= 37) state.fore = code - 30;
    else if (code >= 40 && code <= 47) state.back = code - 40;
    else if (code >= 90 && code <= 97) state.fore = code - 90 + 8;
    else if (code >= 100 && code <= 107) state.back = code - 100 + 8;
  }
}

/**
 * Sets what a match of SEQUENCE sets. A link leads to an http or https address or nowhere.
 *
 * @param {State} state
 * @param {string | undefined} codes
 * @param {string | undefined} kind
 * @param {string | undefined} address
 */
function obey(state, codes, kind, address) {
  if (address !== undefined) state.link = /^https?:\/\/[^\s]+$/i.test(address) ? address : null;
  else if (kind === 'm') setState(state, codes ?? '');
}

/** @param {Colour | null} colour */
const isLong = (colour) => typeof colour === 'string' && colour.startsWith('rgb');

/**
 * A link that a program wrote may lead anywhere: its title says where, and the page that it opens
 * learns nothing of this one.
 *
 * @param {string} address
 * @param {Child} text
 */
const outsideLink = (address, text) =>
  h('a', { href: address, title: address, target: '_blank', rel: 'noopener noreferrer' }, text);

/**
 * @param {string} text
 * @param {State} state
 */
function piece(text, state) {
  const styled = styledPiece(text, state);
  return state.link ? outsideLink(state.link, styled) : styled;
}

/**
 * @param {string} text
 * @param {State} state
 */
function styledPiece(text, state) {
  const fore = state.inverse ? (state.back ?? 'back') : state.fore;
  const back = state.inverse ? (state.fore ?? 'text') : state.back;
  /** @type {string[]} */
  const names = SHOWN.filter((name) => state[name]);
  if (fore !== null) names.push(isLong(fore) ? 'fore' : `fore-${fore}`);
  if (back !== null) names.push(isLong(back) ? 'back' : `back-${back}`);
  if (names.length === 0) return text;
  const span = h('span', { class: names.join(' ') }, text);
  if (isLong(fore)) span.style.setProperty('--fore', String(fore));
  if (isLong(back)) span.style.setProperty('--back-of', String(back));
  return span;
}

/** Converts lines to elements. The style that is set lasts from line to line. */
export class Ansi {
  constructor(state = PLAIN) {
    this.now = { ...state };
  }

  get state() {
    return { ...this.now };
  }

  /**
   * Skips a line that is not shown, but keeps the style that it sets.
   *
   * @param {string} text
   */
  pass(text) {
    if (!text.includes('\x1b')) return;
    for (const [, codes, kind, address] of text.matchAll(ALL_SEQUENCES))
      obey(this.now, codes, kind, address);
  }

  /**
   * Returns a line as text and styled elements.
   *
   * @param {string} text
   */
  line(text) {
    const pieces = [];
    const [begin, end] = lastWritten(text);
    this.pass(text.slice(0, begin));
    const parts = text.slice(begin, end).split(SEQUENCE);
    for (let i = 0; i < parts.length; i += 4) {
      const shown = parts[i]
        .replace(OTHER, '')
        .replace(CONTROL, (c) =>
          String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)),
        );
      if (shown) pieces.push(piece(shown, this.now));
      if (i + 1 < parts.length) obey(this.now, parts[i + 1], parts[i + 2], parts[i + 3]);
    }
    return pieces;
  }
}
