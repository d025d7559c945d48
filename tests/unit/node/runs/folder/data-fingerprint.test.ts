import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PreparedData } from "../../../../../src/config/index.js";
import type { RankingList } from "../../../../../src/data/index.js";
import {
  describeOtherData,
  fingerprintFile,
  fingerprintOf,
} from "../../../../../src/node/runs/folder/data-fingerprint.js";
import { tinyRun } from "../../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../../setup/temporary-folder.js";

const run = (type: "sft" | "rank") =>
  tinyRun("runs", {
    trainer: {
      ...{ type, steps: 1, batchSize: 2 },
      ...(type === "rank" && { loss: [{ type: "candidate-cross-entropy" }] }),
    },
  });

type Candidate = RankingList["candidates"][number];

const candidate = (docid: string, ids: number[], grade?: number): Candidate => ({
  ...{ docid, text: docid, ids },
  ...(grade === undefined ? {} : { grade }),
});

const usual = [
  [candidate("a", [1, 2], 2), candidate("b", [3])],
  [candidate("c", [4], 0), candidate("d", [5, 6], 1)],
  [candidate("e", [7], 1), candidate("f", [8, 8], 0)],
];

/** Of data whose lists are these; only two are in the first step. */
async function ofLists(lists: readonly (readonly Candidate[])[]): Promise<string> {
  const data = {
    training: {
      rows: () => {
        throw new Error("Lists of files are no rows.");
      },
    },
    ranking: {
      lists: (step: number, count: number) =>
        lists.slice(step * count, (step + 1) * count).map((candidates, i) => ({
          ...{ queryId: `q${i}`, query: "", candidates },
        })),
    },
    lengths: () => lists.flatMap((candidates) => candidates.map(({ ids }) => ids.length)),
  };
  return (await fingerprintOf(run("rank"), data as unknown as PreparedData)).sha256;
}

interface Row {
  readonly ids: readonly number[];
  readonly completionStart: number;
}

const rows: readonly Row[] = [
  { ids: [1, 2, 3], completionStart: 2 },
  { ids: [4, 5], completionStart: 1 },
  { ids: [6], completionStart: 0 },
];

function ofRows(given: readonly Row[], more: object = {}) {
  const data = {
    training: {
      size: given.length,
      rows: (step: number, count: number) =>
        given.slice(step * count, (step + 1) * count) as unknown as never[],
    },
    lengths: () => given.map(({ ids }) => ids.length),
    ...more,
  };
  return fingerprintOf(run("sft"), data as unknown as PreparedData);
}

/** The same, with one of them changed. */
function changed<T>(list: readonly T[], at: number, change: (item: T) => T): T[] {
  return list.map((item, i) => (i === at ? change(item) : item));
}

describe("what of the data a run notes", () => {
  test("of lists: every token and grade of the first step's candidates, in their order", async () => {
    const was = await ofLists(usual);
    expect(was).toMatch(/^[\da-f]{64}$/);
    const first = (change: (item: Candidate) => Candidate) =>
      ofLists(changed(usual, 0, (list) => changed(list, 0, change)));
    expect(await first((item) => ({ ...item, grade: 1 }))).not.toBe(was);
    expect(await first((item) => ({ ...item, ids: [1, 9] }))).not.toBe(was);
    expect(await ofLists(changed(usual, 1, (list) => list.toReversed()))).not.toBe(was);
    expect(await ofLists(changed(usual, 1, (list) => list.slice(1)))).not.toBe(was);
    // What no model reads makes no other data.
    expect(await first((item) => ({ ...item, docid: "z", text: "z" }))).toBe(was);
  });

  test("a candidate that nobody judged is one of grade 0, which is what is learned of it", async () => {
    const withGrade = (grade: number) =>
      ofLists(changed(usual, 0, (list) => changed(list, 1, (item) => ({ ...item, grade }))));
    expect(await withGrade(0)).toBe(await ofLists(usual));
    expect(await withGrade(1)).not.toBe(await ofLists(usual));
  });

  test("of lists of later steps: how long they are", async () => {
    const third = (ids: number[]) =>
      ofLists(changed(usual, 2, (list) => changed(list, 0, (item) => ({ ...item, ids }))));
    expect(await third([9])).toBe(await ofLists(usual));
    expect(await third([7, 7])).not.toBe(await ofLists(usual));
  });

  test("of rows: their number, every token of the first step, and where answers begin", async () => {
    const { sha256: was, rows: count } = await ofRows(rows);
    expect(count).toBe(3);
    expect((await ofRows(rows)).sha256).toBe(was);
    const hash = async (at: number, change: Partial<Row>) =>
      (await ofRows(changed(rows, at, (row) => ({ ...row, ...change })))).sha256;
    expect(await hash(1, { ids: [4, 6] })).not.toBe(was);
    expect(await hash(0, { completionStart: 1 })).not.toBe(was);
    expect(await hash(2, { ids: [6, 6] })).not.toBe(was);
    expect(await hash(2, { ids: [7] })).toBe(was);
    expect(await ofRows(rows.slice(1))).toMatchObject({ rows: 2 });
  });

  test("data without an end has no number, and who learns rows is not told of lists", async () => {
    const endless = { rows: () => rows as unknown as never[], size: undefined };
    expect(Object.keys(await ofRows(rows, { training: endless }))).toEqual(["sha256"]);
    const ranking = {
      lists: () => {
        throw new Error("Nobody ranks.");
      },
    };
    expect(await ofRows(rows, { ranking })).toEqual(await ofRows(rows));
  });
});

describe("a run that goes on", () => {
  function noted(note: unknown): string {
    const folder = temporaryFolder();
    writeFileSync(join(folder, fingerprintFile), JSON.stringify(note));
    return folder;
  }
  const now = { rows: 5, sha256: "b" };

  test("says nothing where the data is the same, or it cannot tell, or it begins again", async () => {
    expect(await describeOtherData(noted(now), now, 3)).toEqual([]);
    expect(await describeOtherData(temporaryFolder(), now, 3)).toEqual([]);
    expect(await describeOtherData(noted({ rows: 4, sha256: "a" }), now, 0)).toEqual([]);
  });

  test.each([
    [{ rows: 4, sha256: "a" }, " (4 rows to train on, now 5)"],
    [{ rows: 5, sha256: "a" }, ""],
    [{ sha256: "a" }, " (? rows to train on, now 5)"],
    [null, " (? rows to train on, now 5)"],
  ])("says that it has other data than %j", async (note, sizes) => {
    expect(await describeOtherData(noted(note), now, 3)).toEqual([
      `The data is not what the run began with${sizes}: the steps after step 3 see other rows, ` +
        "and rows that are seen already may come again.",
    ]);
  });

  test("a damaged note is named for what it is", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, fingerprintFile), "{");
    await expect(describeOtherData(folder, now, 3)).rejects.toThrow(/note of the data/);
  });
});
