import { expect } from "vitest";
import { dataFile, type DataRow, readRows } from "../../../src/data/index.js";

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The message of the PupilError that a promise is rejected with. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect((error as Error | undefined)?.name, String(error)).toBe("PupilError");
  return (error as Error).message;
}

/** All rows of a file in memory. */
export function rowsOf(
  name: string,
  content: Parameters<typeof dataFile>[1],
  options: Parameters<typeof readRows>[1] = {},
): Promise<DataRow[]> {
  return collect(readRows(dataFile(name, content), options));
}
