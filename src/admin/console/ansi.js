// Output as a terminal would colour it: SGR sequences become classes, all other control sequences go.
import { h } from './dom.js';

const COLOURS = new Set([31, 32, 33, 34, 35, 36, 90]);

export class Ansi {
  constructor() { this.reset(); }

  reset() { this.colour = 0; this.bold = false; }

  get state() { return [this.colour, this.bold]; }

  set state([colour, bold]) { this.colour = colour; this.bold = bold; }

  set(codes) {
    if (codes[0] === 38 || codes[0] === 48) return; /* of a palette that is not ours */
    for (const code of codes) {
      if (code === 0) this.reset();
      else if (code === 1) this.bold = true;
      else if (code === 22) this.bold = false;
      else if (code === 39) this.colour = 0;
      else if (COLOURS.has(code)) this.colour = code;
      else if (code >= 91 && code <= 96) this.colour = code - 60;
    }
  }

  /** A line that is not shown, but what it sets lasts. */
  pass(text) {
    // eslint-disable-next-line no-control-regex
    if (text.includes('\x1b')) for (const [, codes] of text.matchAll(/\x1b\[([0-9;]*)m/g)) this.set(codes.split(';').map(Number));
  }

  /** A line's pieces. */
  line(text) {
    const pieces = [];
    /* A terminal goes back to the line's beginning and writes over it. */
    text = text.replace(/\r+$/, '');
    text = text.slice(text.lastIndexOf('\r') + 1);
    // eslint-disable-next-line no-control-regex
    const parts = text.replace(/\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, '').split(/\x1b\[([0-9;?]*)([A-Za-z])/);
    for (let i = 0; i < parts.length; i += 3) {
      // eslint-disable-next-line no-control-regex
      const shown = parts[i].replace(/[\0-\x08\x0b-\x1f\x7f]/g, (c) => String.fromCharCode(c === '\x7f' ? 0x2421 : 0x2400 + c.charCodeAt(0)));
      if (shown) pieces.push(this.colour || this.bold ? h('span', { class: `${this.colour ? `a${this.colour}` : ''}${this.bold ? ' bold' : ''}` }, shown) : shown);
      if (parts[i + 2] === 'm') this.set(parts[i + 1].split(';').map(Number));
    }
    return pieces;
  }
}
