// Shows a picture as wide as there is room. If it is then too small to read, or too high, it can be
// moved (drag, arrow keys) and scaled (buttons, + and -, Ctrl and the wheel).
import { h, set } from './dom.js';

/** The smallest scale at which text can be read. A picture begins no smaller than that. */
const LEGIBLE = 0.75;
const LARGEST = 2;
const SMALLEST = 0.1;
const STEP = 1.25;
const KEY_STEP = 60; // in pixels, as is MOST_HEIGHT
const MOST_HEIGHT = 480;

/**
 * @param {SVGSVGElement} picture with a width and a height
 * @returns an element, and a function that ends it
 */
export function panZoom(picture) {
  const width = Number(picture.getAttribute('width'));
  const height = Number(picture.getAttribute('height'));
  const frame = h('div', { class: 'pan' }, picture);
  const view = { x: 0, y: 0, scale: 1 };
  let isFree = false;

  /** The scale at which the whole picture is visible. */
  const whole = () => Math.min(1, frame.clientWidth / width, MOST_HEIGHT / height);

  function draw() {
    const shown = {
      width: frame.clientWidth / view.scale,
      height: frame.clientHeight / view.scale,
    };
    view.x = Math.max(0, Math.min(view.x, width - shown.width));
    view.y = Math.max(0, Math.min(view.y, height - shown.height));
    set(picture, {
      viewBox: `${view.x} ${view.y} ${shown.width} ${shown.height}`,
      width: frame.clientWidth,
      height: frame.clientHeight,
    });
  }

  /**
   * Scales the picture around a point of the frame.
   *
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   */
  function zoom(factor, x = frame.clientWidth / 2, y = frame.clientHeight / 2) {
    const scale = Math.max(Math.min(SMALLEST, whole()), Math.min(LARGEST, view.scale * factor));
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    draw();
  }

  /**
   * @param {number} x in pixels
   * @param {number} y
   */
  function move(x, y) {
    view.x += x / view.scale;
    view.y += y / view.scale;
    draw();
  }

  function showWhole() {
    Object.assign(view, { x: 0, y: 0, scale: whole() });
    draw();
  }

  /** Fits the picture into a new width. What the user has chosen stays. */
  function fit() {
    if (frame.clientWidth === 0) return;
    const scale = whole();
    const wasFree = isFree;
    isFree = scale < LEGIBLE;
    const shown = isFree ? Math.max(scale, LEGIBLE) : scale;
    frame.style.height = `${Math.min(MOST_HEIGHT, Math.ceil(height * shown))}px`;
    controls.hidden = !isFree;
    set(frame, {
      tabindex: isFree && '0',
      role: isFree && 'group',
      'aria-label': isFree && 'Graph. The arrow keys move it, + and - scale it.',
    });
    frame.classList.toggle('free', isFree);
    if (!isFree || !wasFree) Object.assign(view, { x: 0, y: 0, scale: shown });
    draw();
  }

  /** @type {Record<string, (() => void) | undefined>} */
  const keys = {
    ArrowLeft: () => move(-KEY_STEP, 0),
    ArrowRight: () => move(KEY_STEP, 0),
    ArrowUp: () => move(0, -KEY_STEP),
    ArrowDown: () => move(0, KEY_STEP),
    '+': () => zoom(STEP),
    '-': () => zoom(1 / STEP),
    0: showWhole,
  };

  frame.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!isFree || !act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  frame.addEventListener(
    'wheel',
    (event) => {
      if (!isFree || !event.ctrlKey) return;
      event.preventDefault();
      const box = frame.getBoundingClientRect();
      const factor = event.deltaY < 0 ? STEP : 1 / STEP;
      zoom(factor, event.clientX - box.left, event.clientY - box.top);
    },
    { passive: false },
  );
  frame.addEventListener('pointerdown', (event) => {
    if (isFree && event.button === 0) frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener('pointermove', (event) => {
    if (frame.hasPointerCapture(event.pointerId)) move(-event.movementX, -event.movementY);
  });

  /** @type {(label: string, text: string, onclick: () => void) => HTMLElement} */
  const button = (label, text, onclick) =>
    h('button', { type: 'button', 'aria-label': label, title: label, onclick }, text);
  const controls = h(
    'div',
    { class: 'row end', hidden: true },
    button('Smaller', '−', () => zoom(1 / STEP)),
    button('Larger', '+', () => zoom(STEP)),
    button('Fit the whole graph', 'Fit', showWhole),
  );
  const resized = new ResizeObserver(fit);
  resized.observe(frame);
  return { element: h('div', null, frame, controls), end: () => resized.disconnect() };
}
