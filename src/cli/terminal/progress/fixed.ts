/**
 * A number in at most six characters, filled from the left, so that what follows stays in its place: four
 * significant digits or so.
 */
export function fixedNumber(value: number | undefined): string {
  return (value === undefined ? "" : shortNumber(value)).padStart(width);
}

const width = 6;
const units = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** The form with the most decimals that fits. */
function shortNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? "Inf" : "-Inf";
  // An exponent of three digits has no room, and such a number is nothing.
  if (size < 1e-99) return "0.0000";
  const forms = [4, 3, 2, 1, 0].map((decimals) => {
    if (size < 1e-3 || size >= 1e15) return value.toExponential(decimals).replace("+", "");
    if (size < 1e4) return value.toFixed(decimals);
    const [unit, letter] = units.find(([least]) => size >= least) as (typeof units)[number];
    return `${(value / unit).toFixed(decimals)}${letter}`;
  });
  return forms.find((form) => form.length <= width) as string;
}

/** A time in at most six characters: `59s`, `1m20s`, `2h05m`, `12d3h`. */
export function fixedDuration(ms: number): string {
  return shortDuration(ms).padStart(width);
}

function shortDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "?";
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  const days = Math.floor(hours / 24);
  if (days < 100) return `${days}d${hours % 24}h`;
  return days < 1e5 ? `${days}d` : "?";
}

const two = (value: number) => String(value).padStart(2, "0");

const bars = "▁▂▃▄▅▆▇█";

/**
 * Values as bars between their least and greatest one, as means of neighbours where there are more than fit;
 * `×` where one is not finite.
 */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / count),
      Math.floor(((i + 1) * values.length) / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const finite = means.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const barOf = (value: number) => {
    if (!Number.isFinite(value)) return "×";
    const share = most > least ? (value - least) / (most - least) : 0;
    return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))] as string;
  };
  return means.map(barOf).join("").padStart(width);
}
