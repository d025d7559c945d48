import { PupilError } from "./pupil-error.js";
import { showValue } from "./show-value.js";

/**
 * Says what an argument should have been, to callers without a type checker.
 *
 * @param member what every value of its type has
 * @throws PupilError if the value is missing or has no such member
 */
export function requireMember(
  value: unknown,
  member: string | symbol,
  { field, remedy }: { readonly field: string; readonly remedy: string },
): void {
  if (typeof value === "object" && value !== null && member in value) return;
  const problem = value === undefined ? "is missing." : `has no ${String(member)}.`;
  throw new PupilError(problem, { field, value, remedy });
}

/**
 * The same of a text, such as a path.
 *
 * @throws PupilError if the value is none, or is empty
 */
export function requireText(
  value: unknown,
  { field, remedy }: { readonly field: string; readonly remedy: string },
): void {
  if (typeof value === "string" && value !== "") return;
  const problem = value === undefined ? "is missing." : value === "" ? "is empty." : "is no text.";
  throw new PupilError(problem, { field, value, remedy });
}

/**
 * The same of a list, typed or not.
 *
 * @throws PupilError if the value is none
 */
export function requireList(
  value: unknown,
  { field, remedy }: { readonly field: string; readonly remedy: string },
): void {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return;
  const problem = value === undefined ? "is missing." : `is ${showValue(value, 60)} and no list.`;
  throw new PupilError(problem, { field, value, remedy });
}

/**
 * The same of an object of options.
 *
 * @throws PupilError if the value is none
 */
export function requireObject(
  value: unknown,
  { field, remedy }: { readonly field: string; readonly remedy: string },
): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const problem =
    value === undefined ? "is missing." : `is ${showValue(value, 60)}, not an object.`;
  throw new PupilError(problem, { field, value, remedy });
}
