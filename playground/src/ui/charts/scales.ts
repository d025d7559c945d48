/** 1, 2 or 5 times a power of ten, of which about `count` lie between the ends. */
function tickStep(least: number, most: number, count: number): number {
  const rough = (most - least) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((digit) => digit * power).find((one) => one >= rough) ?? rough;
}

/** Multiples of a step. */
const multiples = (step: number, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));

/** About `count` round numbers from `least` to `most`, 1, 2 or 5 times a power of ten apart. */
export function ticks(least: number, most: number, count: number): number[] {
  if (!(most > least)) return [least];
  const step = tickStep(least, most, count);
  return multiples(step, Math.ceil(least / step - 1e-9), Math.floor(most / step + 1e-9));
}

/** Such numbers, and one beyond each end that is none: all that is drawn lies between two that are labelled. */
export function ticksAround(least: number, most: number, count: number): number[] {
  if (!(most > least)) return [least];
  const step = tickStep(least, most, count);
  return multiples(step, Math.floor(least / step + 1e-9), Math.ceil(most / step - 1e-9));
}

/** A number with three digits that say something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-3)) {
    return value.toExponential(1).replace("e+", "e").replace("-", "−");
  }
  return Number(value.toPrecision(3))
    .toLocaleString("en-US", { maximumFractionDigits: 4 })
    .replace("-", "−");
}

/** Probability as a percentage. */
export const percent = (share: number) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Means over neighbours, so that there are at most `most` points; what is not finite is left out. */
export function binned(points: readonly Point[], most: number): Point[] {
  const finite = points.filter(({ y }) => Number.isFinite(y));
  if (finite.length <= most) return [...finite];
  const size = finite.length / most;
  return Array.from({ length: most }, (_, i) => {
    const part = finite.slice(
      Math.floor(i * size),
      Math.max(Math.floor(i * size) + 1, Math.floor((i + 1) * size)),
    );
    const mean = (value: (point: Point) => number) =>
      part.reduce((sum, p) => sum + value(p), 0) / part.length;
    return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  });
}
