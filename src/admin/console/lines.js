// Many lines of output in little of the page: they are kept as text, in blocks, and blocks that are far out of sight are empty and as high as they were.
import { Ansi, plain } from './ansi.js';
import { h } from './dom.js';

const BLOCK_LINES = 200;
const WHOLE_LINES = 5000; /* so many are all in the page, for the browser's own search and to be selected */
const LONGEST_LINE = 16384; /* a longer one is broken, or it alone would make the page slow */
const MOST_CHARS = 64 * 1024 * 1024; /* beyond them the oldest go */
const NEAR = '800px 0px';
const broken = (line) => (line.length <= LONGEST_LINE ? [line] : line.match(new RegExp(`[^]{1,${LONGEST_LINE}}`, 'g')));

export class Lines {
  constructor(place) {
    this.place = place;
    this.watch = new IntersectionObserver((entries) => this.#seen(entries), { root: place, rootMargin: NEAR });
    this.tail = h('div');
    this.words = '';
    this.clear();
  }

  clear() {
    this.watch.disconnect();
    this.place.replaceChildren(this.tail);
    this.tail.replaceChildren();
    this.blocks = [];
    this.count = 0; /* lines so far */
    this.dropped = 0; /* of them, from the beginning */
    this.chars = 0;
    this.hits = []; /* the numbers of lines, from 0, that hold the words looked for */
    this.current = -1; /* a line's number */
    this.ansi = new Ansi();
  }

  end() { this.watch.disconnect(); }

  /** Whole lines, and what there is of the one after them. */
  add(texts, rest) {
    for (const text of texts.flatMap(broken)) this.#push(text);
    this.#drop();
    if (this.count - this.dropped <= WHOLE_LINES) for (const block of this.blocks) this.#fill(block);
    else if (this.blocks.length > 0) this.#fill(this.blocks.at(-1));
    this.tail.replaceChildren(...(rest ? [this.#line(rest.slice(-LONGEST_LINE), this.count, new Ansi(this.ansi.state))] : []));
  }

  #push(text) {
    let block = this.blocks.at(-1);
    if (!block || block.texts.length === BLOCK_LINES) {
      block = { first: this.count, texts: [], state: this.ansi.state, element: h('div', { class: 'block-of-lines' }), isFull: false };
      block.element.block = block;
      this.blocks.push(block);
      this.tail.before(block.element);
      this.#rest(block);
      this.watch.observe(block.element);
    }
    block.texts.push(text);
    if (this.#isHit(text)) this.hits.push(this.count);
    if (block.isFull) block.element.append(this.#line(text, this.count, this.ansi));
    else { this.ansi.pass(text); this.#rest(block); }
    this.count++;
    this.chars += text.length;
  }

  #drop() {
    while (this.chars > MOST_CHARS && this.blocks.length > 1) {
      const block = this.blocks.shift();
      this.watch.unobserve(block.element);
      block.element.remove();
      for (const text of block.texts) this.chars -= text.length;
      this.dropped += block.texts.length;
    }
    this.hits = this.hits[0] < this.dropped ? this.hits.filter((hit) => hit >= this.dropped) : this.hits;
  }

  #line(text, number, ansi) {
    const line = h('div', { class: 'line' }, h('span', { class: 'n', 'aria-hidden': 'true' }, String(number + 1)), h('span', { class: 'said-line' }, ansi.line(text)));
    this.#mark(line, text, number);
    return line;
  }

  #fill(block) {
    if (block.isFull) return;
    const ansi = new Ansi(block.state);
    block.isFull = true;
    block.element.style.height = '';
    block.element.replaceChildren(...block.texts.map((text, i) => this.#line(text, block.first + i, ansi)));
  }

  /** As high as it was, or as it will about be. */
  #rest(block, height = 0) {
    this.lineHeight ||= parseFloat(getComputedStyle(this.place).lineHeight) || 20;
    block.isFull = false;
    block.element.style.height = `${height || block.texts.length * this.lineHeight}px`;
  }

  #seen(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const { block } = target;
      if (isIntersecting) this.#fill(block);
      else if (block.isFull && block !== this.blocks.at(-1) && this.count - this.dropped > WHOLE_LINES) {
        target.replaceChildren();
        this.#rest(block, boundingClientRect.height);
      }
    }
  }

  /* ---- searching ---- */

  #isHit(text) { return this.words !== '' && plain(text).toLowerCase().includes(this.words); }

  #mark(line, text, number) {
    line.classList.toggle('hit', this.#isHit(text));
    line.classList.toggle('current', number === this.current);
  }

  #markAll() {
    for (const block of this.blocks) if (block.isFull) block.texts.forEach((text, i) => this.#mark(block.element.children[i], text, block.first + i));
  }

  /** Finds the lines that hold these words. */
  look(words) {
    this.words = words.toLowerCase();
    this.hits = [];
    if (this.words) for (const block of this.blocks) block.texts.forEach((text, i) => { if (this.#isHit(text)) this.hits.push(block.first + i); });
    this.current = -1;
    this.#markAll();
  }

  /** Brings a line into sight and makes it the current one. */
  goTo(number) {
    this.place.querySelector('.line.current')?.classList.remove('current');
    this.current = number;
    const block = this.blocks.find(({ first, texts }) => number >= first && number < first + texts.length);
    if (!block) return;
    this.#fill(block);
    const line = block.element.children[number - block.first];
    line.classList.add('current');
    line.scrollIntoView({ block: 'nearest' });
  }
}
