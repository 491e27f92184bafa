/** Counts what arrives per second: the figure in the live badge and the small chart on the overview. */
const SECOND = 1000;

export class Meter {
  readonly #counts: Float64Array;
  #second = 0;
  #first = Number.POSITIVE_INFINITY;

  constructor(seconds = 120) {
    this.#counts = new Float64Array(seconds);
  }

  add(count: number, now: number): void {
    this.#advance(now);
    const slot = this.#second % this.#counts.length;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
  }

  /** Mean of the last `window` whole seconds, the running one left out. */
  rate(now: number, window = 3): number {
    const past = this.history(now).slice(-window);
    return past.length === 0 ? 0 : past.reduce((sum, count) => sum + count, 0) / past.length;
  }

  /** Whole seconds counted so far, oldest first, at most the capacity less the running one. */
  history(now: number): number[] {
    this.#advance(now);
    const known = Math.min(this.#counts.length - 1, Math.max(0, this.#second - this.#first));
    return Array.from({ length: known }, (_, index) => {
      const second = this.#second - known + index;
      return this.#counts[second % this.#counts.length] ?? 0;
    });
  }

  #advance(now: number): void {
    const second = Math.floor(now / SECOND);
    if (this.#first === Number.POSITIVE_INFINITY) {
      this.#first = second;
      this.#second = second;
    }
    const passed = Math.min(second - this.#second, this.#counts.length);
    for (let step = 1; step <= passed; step += 1)
      this.#counts[(this.#second + step) % this.#counts.length] = 0;
    if (second > this.#second) this.#second = second;
  }
}
