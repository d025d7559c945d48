import { PupilError } from "pupil";

/** What is said of an error: field, value, problem and remedy, as far as they are known. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof RangeError || /out of memory|allocat/i.test(error.message)) {
    return `The memory did not suffice (${error.message}). Make the student, its rows or the rows of a step smaller; a new start may need the page to be loaded again.`;
  }
  if (!(error instanceof PupilError)) return error.message;
  const { message, field, value } = error;
  const isPlain = ["string", "number", "boolean"].includes(typeof value);
  if (field === undefined || !isPlain || !message.startsWith(`${field}:`)) return message;
  const rest = message.slice(field.length);
  const shown = JSON.stringify(value);
  // A text that says it need not say it twice.
  const isSaid =
    (typeof value === "string" && value.length > 20 && rest.includes(value.slice(0, 20))) ||
    rest.includes(shown) ||
    new RegExp(`(^|\\s)${escaped(shown)}\\b`).test(rest);
  return isSaid ? message : `${field} = ${shown.slice(0, 120)}${rest}`;
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
