// Shows many lines of output with few elements. Lines are kept as text, in blocks. A block far out
// of sight is an empty element of the same height. output.js, search.js and body.js call this.
import { Ansi, plain } from './ansi.js';
import { h } from './dom.js';

/**
 * Pieces of lines that are shown or emptied together.
 *
 * @typedef {object} Block
 * @property {number} first the place of its first piece
 * @property {string[]} texts
 * @property {number[]} numbers of the lines; 0 if a piece continues the line before
 * @property {import('./ansi.js').State} state before its first piece
 * @property {HTMLElement} element
 * @property {boolean} isFull whether it contains its lines as elements
 * @property {boolean} isNear whether it is visible, or almost
 */

const BLOCK_LINES = 200;
/** Up to this many are all in the page, so the browser's own search and selection work. */
const WHOLE_LINES = 5000;
/** In characters. A longer line is split into pieces, because it alone would make the page slow. */
const LONGEST_LINE = 16384;
/** Beyond these limits the oldest lines are dropped: browsers limit the height of a page. */
const MOST_LINES = 500000;
const MOST_CHARS = 64 * 1024 * 1024;
const NEAR = '800px 0px';

/** Places count pieces, from 0; an unsplit line is one piece. Numbers count lines, from 1. */
export class Lines {
  /** @type {Block[]} */
  #blocks = [];
  /** @type {WeakMap<Element, Block>} */
  #blockOf = new WeakMap();
  #place;
  #isTerminal;
  #watch;
  /** Contains the line that has no end yet. */
  #tail = h('div');
  #rest = '';
  /** Whether blocks contain pieces of that line already. */
  #isInLine = false;
  /** The place of the next piece. */
  #next = 0;
  #kept = 0;
  #chars = 0;
  #lineHeight = 0;
  #ansi = new Ansi();
  #words = '';
  /** The number of lines. */
  count = 0;
  /** How many lines were dropped at the beginning. */
  dropped = 0;
  /**
   * The places that match the search.
   *
   * @type {number[]}
   */
  hits = [];
  /** The place of the current hit, or -1. */
  current = -1;

  /**
   * @param {HTMLElement} place
   * @param {{isTerminal?: boolean}} [options] whether escape sequences and carriage returns
   *   have the effect that they have on a terminal
   */
  constructor(place, { isTerminal = true } = {}) {
    this.#place = place;
    this.#isTerminal = isTerminal;
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), {
      root: place,
      rootMargin: NEAR,
    });
    this.clear();
  }

  clear() {
    this.#watch.disconnect();
    this.#place.replaceChildren(this.#tail);
    this.#tail.replaceChildren();
    this.#blocks = [];
    this.#rest = '';
    this.#isInLine = false;
    this.#next = 0;
    this.#kept = 0;
    this.#chars = 0;
    this.#ansi = new Ansi();
    this.count = 0;
    this.dropped = 0;
    this.hits = [];
    this.current = -1;
  }

  end() {
    this.#watch.disconnect();
  }

  /**
   * Appends a chunk of output, which may begin and end anywhere within a line.
   *
   * @param {string} text
   */
  write(text) {
    const parts = text.split('\n');
    this.#rest += parts[0];
    for (const part of parts.slice(1)) {
      this.#breakRest();
      this.#push(this.#rest);
      this.#isInLine = false;
      this.#rest = part;
    }
    this.#breakRest();
    this.#settle();
  }

  /** The output has ended: ends the last line. */
  finish() {
    if (this.#rest) this.write('\n');
  }

  #breakRest() {
    while (this.#rest.length > LONGEST_LINE) {
      const written = this.#rest.lastIndexOf('\r', this.#rest.length - 2) + 1;
      if (written > 0 && this.#isTerminal) {
        // A terminal overwrites this part.
        this.#ansi.pass(this.#rest.slice(0, written));
        this.#rest = this.#rest.slice(written);
        continue;
      }
      this.#push(this.#rest.slice(0, LONGEST_LINE));
      this.#isInLine = true;
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
  }

  /** Returns a block with room for one more piece. */
  #lastBlock() {
    const last = this.#blocks.at(-1);
    if (last && last.texts.length < BLOCK_LINES) return last;
    if (last && !last.isFull) this.#reserve(last);
    else if (last && !last.isNear && this.#kept > WHOLE_LINES) this.#empty(last);
    /** @type {Block} */
    const block = {
      first: this.#next,
      texts: [],
      numbers: [],
      state: this.#ansi.state,
      element: h('div'),
      isFull: false,
      isNear: false,
    };
    this.#blockOf.set(block.element, block);
    this.#blocks.push(block);
    this.#tail.before(block.element);
    this.#watch.observe(block.element);
    return block;
  }

  /** @param {string} text */
  #push(text) {
    const block = this.#lastBlock();
    if (!this.#isInLine) this.count++;
    const number = this.#isInLine ? 0 : this.count;
    block.texts.push(text);
    block.numbers.push(number);
    if (this.#isHit(text)) this.hits.push(this.#next);
    if (block.isFull) block.element.append(this.#line(text, number, this.#next, this.#ansi));
    else this.#ansi.pass(text);
    this.#next++;
    this.#kept++;
    this.#chars += text.length;
    while (this.#chars > MOST_CHARS || this.#kept > MOST_LINES) if (!this.#drop()) break;
  }

  /** Drops the oldest block. Returns false if it is the only one. */
  #drop() {
    const block = this.#blocks.length > 1 && this.#blocks.shift();
    if (!block) return false;
    this.#watch.unobserve(block.element);
    block.element.remove();
    for (const text of block.texts) this.#chars -= text.length;
    this.#kept -= block.texts.length;
    for (const number of block.numbers) this.dropped = number || this.dropped;
    return true;
  }

  /** After a chunk of output: fills and empties blocks, and shows the line without an end. */
  #settle() {
    const first = this.#blocks[0]?.first ?? 0;
    if (this.hits[0] < first) this.hits = this.hits.filter((hit) => hit >= first);
    if (this.#kept <= WHOLE_LINES) {
      for (const block of this.#blocks) this.#fill(block);
    } else {
      for (const block of this.#blocks.slice(0, WHOLE_LINES / BLOCK_LINES + 1))
        if (block.isFull && !block.isNear) this.#empty(block);
      const last = this.#blocks.at(-1);
      if (last) this.#fill(last);
    }
    const ansi = new Ansi(this.#ansi.state);
    const number = this.#isInLine ? 0 : this.count + 1;
    const tail = this.#rest ? [this.#line(this.#rest, number, this.#next, ansi)] : [];
    this.#tail.replaceChildren(...tail);
  }

  /**
   * @param {string} text
   * @param {number} number
   * @param {number} place
   * @param {Ansi} ansi
   */
  #line(text, number, place, ansi) {
    const line = h(
      'div',
      { class: 'line' },
      this.#numberOf(number),
      h('span', { class: 'said-line' }, this.#isTerminal ? ansi.line(text) : text),
    );
    this.#mark(line, text, place);
    return line;
  }

  /**
   * The number of a line of output leads to that line; the reader can copy its address.
   *
   * @param {number} number 0 if the piece has none
   */
  #numberOf(number) {
    const text = number ? String(number) : '';
    if (!this.#isTerminal || !number) return h('span', { class: 'n', 'aria-hidden': 'true' }, text);
    const hint = `Link to line ${number}`;
    return h('a', { class: 'n', href: `#L${number}`, tabindex: '-1', 'aria-label': hint }, text);
  }

  /** @param {Block} block */
  #fill(block) {
    if (block.isFull) return;
    const { texts, numbers, first } = block;
    const ansi = new Ansi(block.state);
    block.isFull = true;
    block.element.style.height = '';
    block.element.replaceChildren(
      ...texts.map((text, i) => this.#line(text, numbers[i], first + i, ansi)),
    );
  }

  /** @param {Block} block */
  #empty(block) {
    const { height } = block.element.getBoundingClientRect();
    block.element.replaceChildren();
    block.isFull = false;
    block.element.style.height = `${height}px`;
  }

  /**
   * Gives an empty block about the height that it will have.
   *
   * @param {Block} block
   */
  #reserve(block) {
    this.#lineHeight ||= parseFloat(getComputedStyle(this.#place).lineHeight) || 20;
    block.element.style.height = `${block.texts.length * this.#lineHeight}px`;
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const block = this.#blockOf.get(target);
      if (!block) continue;
      block.isNear = isIntersecting;
      const mayBeEmpty = block !== this.#blocks.at(-1) && this.#kept > WHOLE_LINES;
      if (isIntersecting) this.#fill(block);
      else if (block.isFull && mayBeEmpty) this.#empty(block);
    }
  }

  /**
   * Runs `change`, which changes the height of lines, and keeps the first visible line in place.
   *
   * @param {() => void} change
   */
  keepInSight(change) {
    const top = () => this.#place.getBoundingClientRect().top;
    const inSight = this.#blocks
      .filter((block) => block.isFull && block.isNear)
      .flatMap((block) => [...block.element.children])
      .find((line) => line.getBoundingClientRect().bottom > top());
    const offset = inSight ? inSight.getBoundingClientRect().top - top() : 0;
    change();
    for (const block of this.#blocks) if (!block.isFull) this.#reserve(block);
    if (inSight) this.#place.scrollTop += inSight.getBoundingClientRect().top - top() - offset;
  }

  /* ---- searching ---- */

  /** @param {string} text */
  #isHit(text) {
    return this.#words !== '' && plain(text).toLowerCase().includes(this.#words);
  }

  /**
   * @param {Element} line
   * @param {string} text
   * @param {number} place
   */
  #mark(line, text, place) {
    line.classList.toggle('hit', this.#isHit(text));
    line.classList.toggle('current', place === this.current);
  }

  /**
   * Finds the lines that contain these words.
   *
   * @param {string} words
   */
  look(words) {
    this.#words = words.toLowerCase();
    this.hits = [];
    this.current = -1;
    CSS.highlights?.delete('found');
    for (const { element, texts, first, isFull } of this.#blocks) {
      texts.forEach((text, i) => {
        if (this.#isHit(text)) this.hits.push(first + i);
        if (isFull) this.#mark(element.children[i], text, first + i);
      });
    }
    const tail = this.#tail.firstElementChild;
    if (tail) this.#mark(tail, this.#rest, this.#next);
  }

  /**
   * Scrolls to a place and makes it the current one.
   *
   * @param {number} place
   */
  goTo(place) {
    this.#place.querySelector('.line.current')?.classList.remove('current');
    this.current = place;
    const block = this.#blocks.find(
      ({ first, texts }) => place >= first && place < first + texts.length,
    );
    if (!block) return;
    this.#fill(block);
    const line = block.element.children[place - block.first];
    line.classList.add('current');
    line.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    if (line.lastElementChild) this.#showWords(line.lastElementChild);
  }

  /**
   * Scrolls to the line with this number. Returns whether it is there.
   *
   * @param {number} number
   */
  goToLine(number) {
    for (const { numbers, first } of this.#blocks) {
      const at = numbers.indexOf(number);
      if (at < 0) continue;
      this.goTo(first + at);
      return true;
    }
    return false;
  }

  /**
   * The range of the words in an element, or null if it does not contain them.
   *
   * @param {Element} element
   */
  #rangeOfWords(element) {
    const begin = (element.textContent ?? '').toLowerCase().indexOf(this.#words);
    const end = begin + this.#words.length;
    if (begin < 0 || this.#words === '') return null;
    const range = new Range();
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let passed = 0;
    let isBegun = false;
    while (texts.nextNode()) {
      const node = texts.currentNode;
      const length = node.nodeValue?.length ?? 0;
      if (!isBegun && begin < passed + length) {
        range.setStart(node, begin - passed);
        isBegun = true;
      }
      if (isBegun && end <= passed + length) {
        range.setEnd(node, end - passed);
        break;
      }
      passed += length;
    }
    return range;
  }

  /**
   * Highlights the words and scrolls to them, since they may be far to the right.
   *
   * @param {Element} element
   */
  #showWords(element) {
    const range = this.#rangeOfWords(element);
    if (!range) return;
    CSS.highlights?.set('found', new Highlight(range));
    const box = this.#place.getBoundingClientRect();
    const words = range.getBoundingClientRect();
    if (words.right > box.right - 12) this.#place.scrollLeft += words.right - box.right + 60;
    else if (words.left < box.left + 80) this.#place.scrollLeft -= box.left + 80 - words.left;
  }
}
