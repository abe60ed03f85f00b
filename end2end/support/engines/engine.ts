/** A point in the window, in CSS pixels. */
export type Point = { x: number; y: number };

/** A browser that is driven through a WebDriver protocol. */
export interface Engine {
  /** Opens a URL and waits until it has loaded. */
  open(url: string): Promise<void>;
  /** Calls a function in the page. Arguments and the result are JSON. */
  call<A extends unknown[], R>(run: (...args: A) => R, ...args: A): Promise<R>;
  /** Clicks a point with the mouse. */
  click(at: Point): Promise<void>;
  /** Presses and releases keys, one after the other. */
  press(keys: Iterable<string>): Promise<void>;
  /** A picture of the window, as PNG. */
  picture(): Promise<Buffer>;
  close(): Promise<void>;
}

/** Input actions of WebDriver, which both protocols share. */
export const clickActions = ({ x, y }: Point) => [
  {
    type: 'pointer',
    id: 'mouse',
    parameters: { pointerType: 'mouse' },
    actions: [
      { type: 'pointerMove', x: Math.round(x), y: Math.round(y), duration: 0 },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ],
  },
];

export const keyActions = (keys: Iterable<string>) => [
  { type: 'key', id: 'keyboard', actions: [...keys].flatMap(value => [{ type: 'keyDown', value }, { type: 'keyUp', value }]) },
];

/** Key codes of WebDriver. */
export const KEYS = { escape: '\uE00C', end: '\uE010' };
