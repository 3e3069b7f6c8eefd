// Many lines of output in little of the page: they are kept as text, in blocks, and blocks that are far out of sight are empty and as high as they were.
import { Ansi, plain } from './ansi.js';
import { h } from './dom.js';

const BLOCK_LINES = 200;
const WHOLE_LINES = 5000; /* so many are all in the page, for the browser's own search and to be selected */
const LONGEST_LINE = 16384; /* a longer one is broken into pieces, or it alone would make the page slow */
const MOST_LINES = 500000,
  MOST_CHARS = 64 * 1024 * 1024; /* beyond them the oldest go: no browser's page is higher */
const NEAR = '800px 0px';

/* Places count pieces, from 0: a line that is not broken is one. Numbers count lines, from 1. */
export class Lines {
  constructor(place) {
    this.place = place;
    this.watch = new IntersectionObserver((entries) => this.#seen(entries), {
      root: place,
      rootMargin: NEAR,
    });
    this.tail = h('div');
    this.words = '';
    this.clear();
  }

  clear() {
    this.watch.disconnect();
    this.place.replaceChildren(this.tail);
    this.tail.replaceChildren();
    this.blocks = [];
    this.rest = ''; /* of a line that has no end yet */
    this.isInLine = false; /* pieces of it have gone before */
    this.next = 0; /* place */
    this.count = 0; /* of lines */
    this.dropped = 0; /* of them, from the beginning */
    this.kept = 0; /* pieces */
    this.chars = 0;
    this.hits = []; /* places that hold the words looked for */
    this.current = -1; /* place */
    this.ansi = new Ansi();
  }

  end() {
    this.watch.disconnect();
  }

  /** What comes next, wherever it begins and ends. */
  write(text) {
    const parts = text.split('\n');
    this.rest += parts[0];
    for (let i = 1; i < parts.length; i++) {
      this.#breakRest();
      this.#push(this.rest);
      this.isInLine = false;
      this.rest = parts[i];
    }
    this.#breakRest();
    this.#settle();
  }

  /** Nothing will come any more. */
  finish() {
    if (this.rest) this.write('\n');
  }

  #breakRest() {
    while (this.rest.length > LONGEST_LINE) {
      const written = this.rest.lastIndexOf('\r', this.rest.length - 2) + 1;
      if (written > 0) {
        /* what was written over is not needed */
        this.ansi.pass(this.rest.slice(0, written));
        this.rest = this.rest.slice(written);
        continue;
      }
      this.#push(this.rest.slice(0, LONGEST_LINE));
      this.isInLine = true;
      this.rest = this.rest.slice(LONGEST_LINE);
    }
  }

  #push(text) {
    let block = this.blocks.at(-1);
    if (!block || block.texts.length === BLOCK_LINES) {
      if (block && !block.isFull) this.#reserve(block);
      else if (block && !block.isNear && this.kept > WHOLE_LINES) this.#empty(block);
      block = {
        first: this.next,
        texts: [],
        numbers: [],
        state: this.ansi.state,
        element: h('div'),
        isFull: false,
        isNear: false,
      };
      block.element.block = block;
      this.blocks.push(block);
      this.tail.before(block.element);
      this.watch.observe(block.element);
    }
    if (!this.isInLine) this.count++;
    block.texts.push(text);
    block.numbers.push(this.isInLine ? 0 : this.count);
    if (this.#isHit(text)) this.hits.push(this.next);
    if (block.isFull)
      block.element.append(this.#line(text, block.numbers.at(-1), this.next, this.ansi));
    else this.ansi.pass(text);
    this.next++;
    this.kept++;
    this.chars += text.length;
    this.#drop();
  }

  #drop() {
    while ((this.chars > MOST_CHARS || this.kept > MOST_LINES) && this.blocks.length > 1) {
      const block = this.blocks.shift();
      this.watch.unobserve(block.element);
      block.element.remove();
      for (const text of block.texts) this.chars -= text.length;
      this.kept -= block.texts.length;
      for (const number of block.numbers) this.dropped = number || this.dropped;
    }
  }

  /** After a piece of output: what is to be seen of it. */
  #settle() {
    const first = this.blocks[0]?.first ?? 0;
    if (this.hits[0] < first) this.hits = this.hits.filter((hit) => hit >= first);
    if (this.kept <= WHOLE_LINES) for (const block of this.blocks) this.#fill(block);
    else {
      for (const block of this.blocks.slice(0, WHOLE_LINES / BLOCK_LINES + 1))
        if (block.isFull && !block.isNear) this.#empty(block);
      this.#fill(this.blocks.at(-1));
    }
    const ansi = new Ansi(this.ansi.state),
      number = this.isInLine ? 0 : this.count + 1;
    this.tail.replaceChildren(
      ...(this.rest ? [this.#line(this.rest, number, this.next, ansi)] : []),
    );
  }

  #line(text, number, place, ansi) {
    const line = h(
      'div',
      { class: 'line' },
      h('span', { class: 'n', 'aria-hidden': 'true' }, number ? String(number) : ''),
      h('span', { class: 'said-line' }, ansi.line(text)),
    );
    this.#mark(line, text, place);
    return line;
  }

  #fill(block) {
    if (block.isFull) return;
    const ansi = new Ansi(block.state);
    block.isFull = true;
    block.element.style.height = '';
    block.element.replaceChildren(
      ...block.texts.map((text, i) => this.#line(text, block.numbers[i], block.first + i, ansi)),
    );
  }

  #empty(block) {
    const { height } = block.element.getBoundingClientRect();
    block.element.replaceChildren();
    block.isFull = false;
    block.element.style.height = `${height}px`;
  }

  /** As high as it will about be. */
  #reserve(block) {
    this.lineHeight ||= parseFloat(getComputedStyle(this.place).lineHeight) || 20;
    block.element.style.height = `${block.texts.length * this.lineHeight}px`;
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const { block } = target;
      block.isNear = isIntersecting;
      if (isIntersecting) this.#fill(block);
      else if (block.isFull && block !== this.blocks.at(-1) && this.kept > WHOLE_LINES)
        this.#empty(block);
    }
  }

  /** Runs what changes how high lines are, and leaves the first one in sight where it is. */
  keepInSight(change) {
    const top = () => this.place.getBoundingClientRect().top;
    const inSight = this.blocks
      .filter((block) => block.isFull && block.isNear)
      .flatMap((block) => [...block.element.children])
      .find((line) => line.getBoundingClientRect().bottom > top());
    const offset = inSight ? inSight.getBoundingClientRect().top - top() : 0;
    change();
    for (const block of this.blocks) if (!block.isFull) this.#reserve(block);
    if (inSight) this.place.scrollTop += inSight.getBoundingClientRect().top - top() - offset;
  }

  /* ---- searching ---- */

  #isHit(text) {
    return this.words !== '' && plain(text).toLowerCase().includes(this.words);
  }

  #mark(line, text, place) {
    line.classList.toggle('hit', this.#isHit(text));
    line.classList.toggle('current', place === this.current);
  }

  /** Finds the lines that hold these words. */
  look(words) {
    this.words = words.toLowerCase();
    this.hits = [];
    this.current = -1;
    CSS.highlights?.delete('found');
    for (const { element, texts, first, isFull } of this.blocks)
      texts.forEach((text, i) => {
        if (this.#isHit(text)) this.hits.push(first + i);
        if (isFull) this.#mark(element.children[i], text, first + i);
      });
    if (this.rest) this.#mark(this.tail.firstChild, this.rest, this.next);
  }

  /** Brings a place into sight and makes it the current one. */
  goTo(place) {
    this.place.querySelector('.line.current')?.classList.remove('current');
    this.current = place;
    const block = this.blocks.find(
      ({ first, texts }) => place >= first && place < first + texts.length,
    );
    if (!block) return;
    this.#fill(block);
    const line = block.element.children[place - block.first];
    line.classList.add('current');
    line.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.#showWords(line.lastChild);
  }

  /** The words themselves, which may be far to the right. */
  #showWords(element) {
    const at = element.textContent.toLowerCase().indexOf(this.words),
      range = new Range();
    if (at < 0) return;
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let passed = 0,
      isBegun = false;
    while (texts.nextNode()) {
      const { currentNode: node } = texts,
        { length } = node,
        end = at + this.words.length;
      if (!isBegun && at < passed + length) {
        range.setStart(node, at - passed);
        isBegun = true;
      }
      if (isBegun && end <= passed + length) {
        range.setEnd(node, end - passed);
        break;
      }
      passed += length;
    }
    CSS.highlights?.set('found', new Highlight(range));
    const box = this.place.getBoundingClientRect(),
      words = range.getBoundingClientRect();
    if (words.right > box.right - 12) this.place.scrollLeft += words.right - box.right + 60;
    else if (words.left < box.left + 80) this.place.scrollLeft -= box.left + 80 - words.left;
  }
}
