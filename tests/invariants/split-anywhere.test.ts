import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  dataFile,
  type DataFile,
  readLines,
  readQrels,
  readRows,
  readTextPieces,
} from "../../src/data/index.js";
import { collect } from "../setup/data/data-rows.js";

/** A file whose bytes arrive in pieces that end at the given places. */
function inPieces(name: string, bytes: Uint8Array<ArrayBuffer>, cuts: readonly number[]): DataFile {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return {
    ...dataFile(name, bytes),
    async *chunks() {
      let start = 0;
      for (const end of ends) {
        yield bytes.slice(start, end);
        start = end;
      }
    },
  };
}

/** All that a reader gives, or the message that it ends with. */
async function outcome(items: AsyncIterable<unknown>): Promise<unknown> {
  try {
    return await collect(items);
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    return (error as Error).message;
  }
}

const text = fc.string({ unit: fc.constantFrom(..."ab ,;\"'\t\\é日😀", "\n", "\r\n", "\r") });
const row = fc.record({ prompt: text, completion: text, n: fc.integer() });
const rows = fc.array(row, { minLength: 1, maxLength: 5 });
const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;

const contents = {
  "t.jsonl": rows.map((list) => list.map((value) => JSON.stringify(value)).join("\n")),
  "t.json": rows.map((list) => JSON.stringify(list, null, 1)),
  "t.csv": rows.map((list) =>
    ["prompt,completion", ...list.map((r) => `${quoted(r.prompt)},${quoted(r.completion)}`)].join(
      "\n",
    ),
  ),
  "t.tsv": rows.map((list) =>
    ["prompt\tcompletion", ...list.map((r) => `${quoted(r.prompt)}\t${quoted(r.completion)}`)].join(
      "\n",
    ),
  ),
  "t.txt": text,
};

const cuts = fc.array(fc.nat({ max: 4_000 }), { maxLength: 12 });
const encode = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
const runs = { numRuns: 150, seed: 9 };

test.each(Object.keys(contents) as (keyof typeof contents)[])(
  "%s gives the same rows or the same error, at whatever bytes its pieces end",
  async (name) => {
    const property = fc.asyncProperty(contents[name], cuts, async (content, places) => {
      const bytes = encode(content);
      const whole = await outcome(readRows(dataFile(name, bytes)));
      expect(await outcome(readRows(inPieces(name, bytes, places)))).toEqual(whole);
    });
    await fc.assert(property, runs);
  },
);

test("any bytes give the same text, lines and judgements or the same error", async () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((given) => Uint8Array.from(given));
  const property = fc.asyncProperty(
    fc.oneof(bytes, text.map(encode)),
    cuts,
    async (content, places) => {
      for (const read of [readLines, readQrels]) {
        const whole = await outcome(read(dataFile("f", content)));
        expect(await outcome(read(inPieces("f", content, places)))).toEqual(whole);
      }
      const whole = await outcome(readTextPieces(dataFile("f", content)));
      const pieces = await outcome(readTextPieces(inPieces("f", content, places)));
      const joined = (value: unknown) => (Array.isArray(value) ? value.join("") : value);
      expect(joined(pieces)).toEqual(joined(whole));
    },
  );
  await fc.assert(property, runs);
});
