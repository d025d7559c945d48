/**
 * JSON has no infinity and no NaN, and `JSON.stringify` writes null for them. Here they are the strings
 * "Infinity", "-Infinity" and "NaN", in the place of the number.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_, field: unknown) =>
      typeof field === "number" && !Number.isFinite(field) ? String(field) : field,
    indent,
  );
}

const numbers = new Map([Infinity, -Infinity, NaN].map((number) => [String(number), number]));

/**
 * The same value with those strings as numbers again; for what holds numbers. (In a text, "NaN" may be a
 * word.)
 *
 * @param levels what lies deeper stays as it is: nothing that a run writes does
 */
export function withNumbers(value: unknown, levels = 100): unknown {
  if (typeof value === "string") return numbers.get(value) ?? value;
  if (typeof value !== "object" || value === null || levels === 0) return value;
  const inner = (field: unknown) => withNumbers(field, levels - 1);
  if (Array.isArray(value)) return value.map(inner);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, inner(field)]));
}
