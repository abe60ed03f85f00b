import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from '@playwright/test';
import type { Engine, Point } from './engine';

/** Time limit for an element or a text, in milliseconds. */
const TIME_LIMIT = 15_000;

/** An element: a selector, and its accessible name if several elements match. */
export type Target = { css: string; name?: string };

/** What a person sees at an element. */
type Sight = Point & { problem: string };

/** Finds an element and checks that a person can see and press it: it is in the window, opaque, and nothing covers it. */
function look({ css, name }: Target): Sight {
  const nameOf = (element: Element) => (element.getAttribute('aria-label') ?? (element as HTMLElement).innerText).replace(/\s+/g, ' ').trim();
  const fail = (problem: string) => ({ x: 0, y: 0, problem });
  const found = [...document.querySelectorAll(css)].filter(element => name === undefined || nameOf(element) === name);
  if (found.length === 0) return fail('it is missing');
  const shown = found.filter(element => element.getClientRects().length > 0);
  if (shown.length !== 1) return fail(`${shown.length} of ${found.length} are rendered`);
  const [element] = shown;
  const isInside = ({ left, top, right, bottom }: DOMRect) => left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  // `instant`: the page can scroll smoothly, and the point would be wrong.
  if (!isInside(element.getBoundingClientRect())) element.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' as ScrollBehavior });
  for (let parent: Element | null = element; parent; parent = parent.parentElement) {
    const { opacity, visibility } = getComputedStyle(parent);
    if (Number(opacity) < 1 && !(element as HTMLButtonElement).disabled) return fail(`${parent.tagName}.${parent.className} has the opacity ${opacity}`);
    if (visibility !== 'visible') return fail(`${parent.tagName} is ${visibility}`);
  }
  const box = element.getClientRects()[0];
  const at = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  if (at.x < 0 || at.y < 0 || at.x >= innerWidth || at.y >= innerHeight) return fail('it is outside of the window');
  const top = document.elementFromPoint(at.x, at.y);
  if (!top || !(element.contains(top) || top.contains(element) && top.tagName === 'LABEL')) return fail(`${top?.tagName}.${top?.className} covers it`);
  return { ...at, problem: '' };
}

/** The largest vertical space of the open dialog without text or controls, in pixels. */
function largestGap(): number {
  const dialog = [...document.querySelectorAll('dialog[open]')].at(-1);
  if (!dialog) return Infinity;
  const { top, bottom } = dialog.getBoundingClientRect();
  const boxes = [...dialog.querySelectorAll('*')]
    .filter(element => element.children.length === 0 || element.matches('button, a, input, select, textarea, svg'))
    .flatMap(element => [...element.getClientRects()])
    .filter(box => box.height > 0)
    .sort((a, b) => a.top - b.top);
  let [edge, largest] = [top, 0];
  for (const box of [...boxes, { top: bottom, bottom }]) {
    largest = Math.max(largest, Math.min(box.top, bottom) - edge);
    edge = Math.max(edge, box.bottom);
  }
  return largest;
}

/** A person at a browser: sees, presses, and types. */
export class Visitor {
  private pictures = 0;

  constructor(
    readonly engine: Engine,
    private readonly url: string,
    /** Folder of the pictures. */
    private readonly folder: string,
  ) {}

  /** Opens a page and waits for its scripts. */
  async open(at: string): Promise<void> {
    await this.engine.open(new URL(at, this.url).href);
    await this.ready();
  }

  /** Waits until scripts have hydrated the page. */
  async ready(): Promise<void> {
    await expect.poll(() => this.engine.call(() => document.documentElement.hasAttribute('data-live')), { timeout: TIME_LIMIT }).toBe(true);
  }

  async waitForPath(at: string): Promise<void> {
    await expect.poll(() => this.engine.call(() => location.pathname), { timeout: TIME_LIMIT }).toBe(at);
    await this.ready();
  }

  /** Waits until a person can see and press the element at the same point twice, and returns the point. */
  async see(target: Target): Promise<Point> {
    let last: Sight = { x: -1, y: -1, problem: '' };
    const label = `${target.css} ${target.name ?? ''}`;
    await expect
      .poll(
        async () => {
          const sight = await this.engine.call(look, target);
          const isStill = sight.x === last.x && sight.y === last.y;
          last = sight;
          return sight.problem || (isStill ? 'seen' : 'it moves');
        },
        { message: label, timeout: TIME_LIMIT, intervals: [50] },
      )
      .toBe('seen');
    return last;
  }

  async click(target: Target): Promise<void> {
    await this.engine.click(await this.see(target));
  }

  async type(target: Target, text: string): Promise<void> {
    await this.click(target);
    await this.engine.press(text);
  }

  /** Waits until no element matches, or none is rendered. */
  async gone(css: string): Promise<void> {
    const count = () => this.engine.call(selector => [...document.querySelectorAll(selector)].filter(it => it.getClientRects().length > 0).length, css);
    await expect.poll(count, { message: css, timeout: TIME_LIMIT }).toBe(0);
  }

  async text(css: string): Promise<string> {
    return this.engine.call(selector => document.querySelector(selector)?.textContent ?? '', css);
  }

  /** Waits until an element has a text. */
  async expectText(css: string, text: string | RegExp): Promise<void> {
    await expect.poll(() => this.text(css), { message: css, timeout: TIME_LIMIT }).toMatch(text);
  }

  /** Checks that the open dialog is not mostly empty. */
  async expectCompactDialog(): Promise<void> {
    await this.see({ css: 'dialog[open] h2' });
    await expect.poll(() => this.engine.call(largestGap), { message: 'the largest empty space of the dialog, in pixels', timeout: TIME_LIMIT }).toBeLessThan(90);
  }

  /** Waits until the browser has painted the current state and has ended the transitions. */
  private async painted(): Promise<void> {
    await this.engine.call(() => {
      delete document.documentElement.dataset.painted;
      requestAnimationFrame(() => requestAnimationFrame(() => (document.documentElement.dataset.painted = '')));
      return true;
    });
    const isPainted = () => this.engine.call(() => 'painted' in document.documentElement.dataset && document.getAnimations().every(it => it.playState !== 'running' || it.effect?.getTiming().iterations === Infinity));
    await expect.poll(isPainted, { message: 'the page is painted', timeout: TIME_LIMIT, intervals: [50] }).toBe(true);
  }

  /** Saves a picture of a step. Nothing may be wider than the window. */
  async picture(step: string): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.painted();
    const name = `${String(++this.pictures).padStart(2, '0')}-${step}.png`;
    await writeFile(path.join(this.folder, name), await this.engine.picture());
    expect(await this.engine.call(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), `${step}: horizontal scrolling`).toBeLessThanOrEqual(0);
  }
}
