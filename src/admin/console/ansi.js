// Output as a terminal would show it: SGR sequences (ECMA-48 8.3.117, with the palette and the direct colours of xterm) become classes, all other control sequences go.
import { h } from './dom.js';

const PLAIN = {
  fore: null,
  back: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};
const ON = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline', 7: 'inverse' };
const OFF = { 22: ['bold', 'dim'], 23: ['italic'], 24: ['underline'], 27: ['inverse'] };

/* A colour is a number of the first sixteen, which light and dark have their own of, or "rgb(…)". */
const rgb = (...parts) => `rgb(${parts.map((part) => Math.min(255, part || 0)).join(' ')})`;
const cube = [0, 95, 135, 175, 215, 255];
function ofPalette(n) {
  if (!(n <= 255)) return null;
  if (n < 16) return n;
  if (n >= 232) return rgb(...Array(3).fill(8 + 10 * (n - 232)));
  return rgb(
    cube[Math.floor((n - 16) / 36)],
    cube[Math.floor((n - 16) / 6) % 6],
    cube[(n - 16) % 6],
  );
}

/** What follows 38, 48 or 58, as "5;n" or "2;r;g;b" (then the codes after it are taken), or as "5:n", "2::r:g:b". */
function longColour(part, rest) {
  const parts = part.split(':').slice(1);
  if (parts.length > 0)
    return parts[0] === '5'
      ? ofPalette(+parts[1])
      : parts[0] === '2'
        ? rgb(...parts.slice(-3).map(Number))
        : null;
  const kind = rest.shift();
  return kind === '5'
    ? ofPalette(+rest.shift())
    : kind === '2'
      ? rgb(...rest.splice(0, 3).map(Number))
      : null;
}

/* CSI; then strings (OSC and its like, to BEL or ST) and the short ones. */
const SEQUENCE = /\x1b\[([0-?]*)[ -/]*([@-~])/,
  ALL_SEQUENCES = new RegExp(SEQUENCE, 'g');
const OTHER = /\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]/g,
  CONTROL = /[\0-\x08\x0b-\x1f\x7f]/g;

/** A terminal goes back to the line's beginning and writes over it: where what is left begins. */
function lastWritten(text) {
  const end = text.replace(/\r+$/, '');
  return [end.lastIndexOf('\r') + 1, end.length];
}

/** A line's words, without what only sets its looks. */
export function plain(text) {
  const written = text.includes('\r') ? text.slice(...lastWritten(text)) : text;
  return written.includes('\x1b') ? written.replace(OTHER, '').replace(ALL_SEQUENCES, '') : written;
}

function set(state, codes) {
  if (/^[<-?]/.test(codes)) return; /* private ones: no looks */
  const rest = codes.split(';');
  while (rest.length > 0) {
    const part = rest.shift(),
      code = parseInt(part, 10) || 0;
    if (code === 0) Object.assign(state, PLAIN);
    else if (ON[code]) state[ON[code]] = part !== '4:0';
    else if (OFF[code]) for (const name of OFF[code]) state[name] = false;
    else if (code === 38) state.fore = longColour(part, rest);
    else if (code === 48) state.back = longColour(part, rest);
    else if (code === 58) longColour(part, rest); /* of the underline */
    else if (code === 39) state.fore = null;
    else if (code === 49) state.back = null;
    else if (code >= 30 && code <= 37) state.fore = code - 30;
    else if (code >= 40 && code <= 47) state.back = code - 40;
    else if (code >= 90 && code <= 97) state.fore = code - 90 + 8;
    else if (code >= 100 && code <= 107) state.back = code - 100 + 8;
  }
}

function piece(text, state) {
  const fore = state.inverse ? (state.back ?? 'back') : state.fore,
    back = state.inverse ? (state.fore ?? 'text') : state.back;
  const names = ['bold', 'dim', 'italic', 'underline'].filter((name) => state[name]);
  const isLong = (colour) => typeof colour === 'string' && colour.startsWith('rgb');
  if (fore !== null) names.push(isLong(fore) ? 'fore' : `fore-${fore}`);
  if (back !== null) names.push(isLong(back) ? 'back' : `back-${back}`);
  if (names.length === 0) return text;
  const span = h('span', { class: names.join(' ') }, text);
  if (isLong(fore)) span.style.setProperty('--fore', fore);
  if (isLong(back)) span.style.setProperty('--back-of', back);
  return span;
}

export class Ansi {
  constructor(state = PLAIN) {
    this.now = { ...state };
  }

  get state() {
    return { ...this.now };
  }

  /** A line that is not shown, but what it sets lasts. */
  pass(text) {
    if (text.includes('\x1b'))
      for (const [, codes, kind] of text.matchAll(ALL_SEQUENCES))
        if (kind === 'm') set(this.now, codes);
  }

  /** A line's pieces. */
  line(text) {
    const pieces = [],
      [begin, end] = lastWritten(text);
    this.pass(text.slice(0, begin));
    const parts = text.slice(begin, end).replace(OTHER, '').split(SEQUENCE);
    for (let i = 0; i < parts.length; i += 3) {
      const shown = parts[i].replace(CONTROL, (c) =>
        String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)),
      );
      if (shown) pieces.push(piece(shown, this.now));
      if (parts[i + 2] === 'm') set(this.now, parts[i + 1]);
    }
    return pieces;
  }
}
