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
 */
export function withNumbers(value: unknown): unknown {
  if (typeof value === "string") return numbers.get(value) ?? value;
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withNumbers(field)]));
}
