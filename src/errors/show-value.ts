/** Levels of a value that are shown, and entries of each. */
const deepest = 4;
const mostEntries = 24;

/**
 * A value as a message shows it: JSON of at most `longest` characters. However deep or large it is,
 * only what is shown is looked at.
 */
export function showValue(value: unknown, longest = 120): string {
  const text = JSON.stringify(prune(value, longest, 0)) ?? String(value);
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function prune(value: unknown, longest: number, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, longest);
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  // JSON would write null for them.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === deepest) return "...";
  if (Array.isArray(value)) {
    return value.slice(0, mostEntries).map((entry) => prune(entry, longest, depth + 1));
  }
  const keys = Object.keys(value).slice(0, mostEntries);
  const entries = keys.map((key) => [
    key.slice(0, longest),
    prune((value as Record<string, unknown>)[key], longest, depth + 1),
  ]);
  return Object.fromEntries(entries);
}
