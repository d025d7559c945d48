import { describe, expect, test } from "vitest";
import {
  decodeRow,
  encodeRow,
  type RecordedRow,
  logProbLayout,
} from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";

const base = { dtype: "float16", tokens: "likeliest", sampleTemperature: 1 } as const;

/** A row of `length` ids with K tokens at every position but the first. */
function randomRow(length: number, k: number, vocabSize: number): RecordedRow {
  const random = new Random(3).stream("row", length, k);
  const id = () => random.integer(vocabSize);
  const logProb = () => Math.log(random.uniform());
  return {
    id: "train.jsonl:12 ü",
    ids: Array.from({ length }, id),
    positions: Array.from({ length: length - 1 }, () => ({
      tokenLogProb: logProb(),
      logTail: logProb(),
      logNormalizer: 0,
      ids: Array.from({ length: k }, id),
      logProbs: Array.from({ length: k }, logProb),
    })),
  };
}

describe("a recorded row", () => {
  test.each([
    [300, 2],
    [2 ** 16, 2],
    [2 ** 16 + 1, 3],
    [2 ** 24, 3],
    [2 ** 24 + 1, 4],
    [2 ** 31, 4],
  ])("keeps every id of a vocabulary of %d in %d bytes", (vocabSize, idBytes) => {
    const layout = logProbLayout({ ...base, vocabSize, k: 4, dtype: "float32" });
    expect(layout.idBytes).toBe(idBytes);
    const row = randomRow(6, 4, vocabSize);
    const edge = { ...row, ids: [0, vocabSize - 1, ...row.ids.slice(2)] };
    const decoded = decodeRow(encodeRow(edge, layout), layout);
    expect(decoded.ids).toEqual(edge.ids);
    expect(decoded.id).toBe(row.id);
    expect(decoded.positions.map(({ ids }) => ids)).toEqual(row.positions.map(({ ids }) => ids));
    for (const [i, { logProbs, tokenLogProb }] of row.positions.entries()) {
      expect(decoded.positions[i]?.logProbs).toEqual(Array.from(logProbs, Math.fround));
      expect(decoded.positions[i]?.tokenLogProb).toBe(Math.fround(tokenLogProb));
    }
  });

  test("has numbers of 2 or 4 bytes", () => {
    const layoutOf = (dtype: "float16" | "float32") =>
      logProbLayout({ ...base, dtype, vocabSize: 9, k: 3 });
    const rest = { k: 3, idBytes: 2, hasNormalizer: false };
    expect(layoutOf("float16")).toMatchObject({ ...rest, floatBytes: 2 });
    expect(layoutOf("float32")).toMatchObject({ ...rest, floatBytes: 4 });
    expect(layoutOf("float32").bytesPerPosition).toBe(3 * 6 + 8);
  });

  test("has a normalizer where draws are of another distribution than the teacher's", () => {
    const hasNormalizer = (tokens: "likeliest" | "draws", sampleTemperature: number) =>
      logProbLayout({ ...base, vocabSize: 9, k: 2, tokens, sampleTemperature }).hasNormalizer;
    expect(hasNormalizer("draws", 1.5)).toBe(true);
    expect(hasNormalizer("draws", 1)).toBe(false);
    expect(hasNormalizer("likeliest", 1)).toBe(false);
    expect(hasNormalizer("likeliest", 1.5)).toBe(false);
  });

  test("rounds float16 log-probabilities by at most 2^-11 of themselves", () => {
    const layout = logProbLayout({ ...base, vocabSize: 300, k: 50 });
    const row = randomRow(20, 50, 300);
    const decoded = decodeRow(encodeRow(row, layout), layout);
    let largest = 0;
    for (const [i, { logProbs }] of row.positions.entries()) {
      for (const [j, value] of Array.from(logProbs).entries()) {
        const rounded = decoded.positions[i]?.logProbs[j] as number;
        largest = Math.max(largest, Math.abs(rounded / value - 1));
      }
    }
    expect(largest).toBeLessThanOrEqual(2 ** -11);
    expect(largest).toBeGreaterThan(2 ** -13);
  });

  test("keeps probability 0 finite, and a normalizer in full", () => {
    const draws = { ...base, tokens: "draws", sampleTemperature: 2, vocabSize: 300, k: 1 } as const;
    const layout = logProbLayout(draws);
    const position = { tokenLogProb: -1e9, logTail: -1, logNormalizer: 1.2345678 };
    const row = { ids: [1, 2], positions: [{ ...position, ids: [7], logProbs: [-Infinity] }] };
    const [decoded] = decodeRow(encodeRow(row, layout), layout).positions;
    expect(decoded).toMatchObject({ tokenLogProb: -65504, logProbs: [-65504] });
    expect(decoded?.logNormalizer).toBe(Math.fround(1.2345678));
  });

  test.each([
    ["likeliest", 1, 50_257, 204],
    ["likeliest", 1, 2 ** 24, 254],
    ["draws", 2, 2 ** 24, 258],
  ] as const)("needs few bytes per token at k = 50: %s, temperature %d, %d ids", (...given) => {
    const [tokens, sampleTemperature, vocabSize, bytes] = given;
    const layout = logProbLayout({ dtype: "float16", tokens, sampleTemperature, vocabSize, k: 50 });
    expect(layout.bytesPerPosition).toBe(bytes);
    // The rest: ids, counts and name of the row.
    const row = randomRow(64, 50, vocabSize);
    expect(encodeRow(row, layout).length / 63).toBeLessThan(bytes + 5);
    expect(encodeRow({ ...row, positions: [] }, layout).length).toBe(12 + 17 + 64 * layout.idBytes);
  });

  test("is refused with another number of tokens than the layout's, or cut", () => {
    const layout = logProbLayout({ ...base, vocabSize: 300, k: 4 });
    expect(() => encodeRow(randomRow(3, 5, 300), layout)).toThrow(/has 5 tokens, not 4/);
    const bytes = encodeRow(randomRow(3, 4, 300), layout);
    expect(() => decodeRow(bytes.slice(0, -2), layout)).toThrow(/should have/);
  });
});
