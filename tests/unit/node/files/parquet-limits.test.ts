import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, onTestFinished, test, vi } from "vitest";
import { decodeInWorker } from "../../../../src/node/files/parquet-worker.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const data = Array.from({ length: 20 }, (_, i) => `row ${i}`);
const bytes = new Uint8Array(
  parquetWriteBuffer({ columnData: [{ name: "text", data, type: "STRING" }], rowGroupSize: 5 }),
);

function saved(): string {
  const path = join(temporaryFolder(), "t.parquet");
  writeFileSync(path, bytes);
  return path;
}

/** The limits of time that requests get from here on, in seconds. */
function watchLimits(): number[] {
  const limits: number[] = [];
  const real = globalThis.setTimeout;
  const spy = vi.spyOn(globalThis, "setTimeout").mockImplementation(((
    work: () => void,
    ms: number,
  ) => {
    if (ms > 50_000) limits.push(ms / 1000);
    return real(work, ms);
  }) as typeof setTimeout);
  onTestFinished(() => spy.mockRestore());
  return limits;
}

const range = { start: 0, end: 5 };

test("a request has the seconds that it is given, and one more for every megabyte", async () => {
  const path = saved();
  const limits = watchLimits();
  const decoder = decodeInWorker(path, bytes.length, 60);
  const metadata = await decoder.metadata();
  // An index is read of a file a hundred times as large as fast.
  expect(limits).toEqual([60 + bytes.length / 1e8]);
  limits.length = 0;
  const sized = (sizes: readonly number[]) => ({
    ...metadata,
    row_groups: sizes.map((size) => ({ ...metadata.row_groups[0], total_byte_size: BigInt(size) })),
  });
  // By the largest group, but never by more than twenty times the file, whatever it says.
  for (const sizes of [[3, 7, 5], [], [10 ** 9], [-5]]) {
    await decoder.rows(sized(sizes) as never, range);
  }
  const most = 20 * bytes.length;
  expect(limits).toEqual([7, 0, most, 0].map((size) => 60 + size / 1e6));
});

test("a request is answered with the rows and columns that it asks for", async () => {
  const decoder = decodeInWorker(saved(), bytes.length, 60);
  const metadata = await decoder.metadata();
  const { rows, counts } = (await decoder.rows(metadata, { start: 5, end: 7 })) as {
    rows: unknown[];
    counts: object;
  };
  expect(rows).toEqual([{ text: "row 5" }, { text: "row 6" }]);
  expect(Object.keys(counts)).toEqual(["text"]);
});

test("the thread keeps the process alive while it is asked, and not between two requests", async () => {
  const decoder = decodeInWorker(saved(), bytes.length, 60);
  await decoder.metadata();
  const calls: string[] = [];
  for (const name of ["ref", "unref", "terminate"] as const) {
    const real = Worker.prototype[name] as () => unknown;
    const spy = vi.spyOn(Worker.prototype, name).mockImplementation(function (this: Worker) {
      calls.push(name);
      return real.call(this) as never;
    });
    onTestFinished(() => spy.mockRestore());
  }
  await Promise.all([decoder.metadata(), decoder.metadata()]);
  expect(calls).toEqual(["ref", "unref", "ref", "unref"]);
});

test("a thread is ended and another begun where a request takes too long, and listens to no old one", async () => {
  const decoder = decodeInWorker(saved(), bytes.length, 60);
  const metadata = await decoder.metadata();
  const spy = vi.spyOn(Worker.prototype, "terminate");
  onTestFinished(() => spy.mockRestore());
  // No file at all: the thread says so, and goes on.
  const none = decodeInWorker(join(temporaryFolder(), "none"), 10, 60);
  await expect(none.metadata()).rejects.toThrow(/ENOENT/);
  expect(spy).not.toHaveBeenCalled();
  // One that it never hears of.
  const deaf = vi.spyOn(Worker.prototype, "postMessage").mockImplementationOnce(() => undefined);
  onTestFinished(() => deaf.mockRestore());
  const hurried = decodeInWorker(saved(), bytes.length, 0);
  await expect(hurried.rows({ ...metadata, row_groups: [] }, range)).rejects.toThrow(
    "decoding takes longer than 0 s",
  );
  expect(spy).toHaveBeenCalledTimes(1);
  expect(await decoder.metadata()).toEqual(metadata);
});
