import { expect, test } from "vitest";
import { parseRecordingManifest } from "../../../../src/teachers/index.js";

const counts = { sourceRows: 4, rows: 3, tokens: 9, repeated: 1, unfinished: 0 };
const manifest = {
  ...{ formatVersion: 1, tokens: "likeliest", k: 3, sampleTemperature: 1, dtype: "float16" },
  ...{ vocabSize: 300, maxPositions: null, tokenizer: "sha", source: {}, complete: true, counts },
  teacher: { name: "t", config: { from: "t" }, hash: "h", hashOf: "weights" },
  shards: [{ file: "shard-00001.bin", bytes: 12, rows: 3 }],
};
const problem = (changes: object) => {
  try {
    parseRecordingManifest({ ...manifest, ...changes }, "rec/manifest.json");
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

test("a whole manifest is taken as it is", () => {
  expect(parseRecordingManifest(manifest, "m")).toEqual(manifest);
});

test.each<[object, object[], object[]]>([
  [{ k: 0 }, [{ k: 1 }, { k: 65_536 }], [{ k: 65_537 }, { k: 1.5 }]],
  [{ sampleTemperature: 0 }, [{ sampleTemperature: 0.5 }], [{ sampleTemperature: -1 }]],
  [{ dtype: "float64" }, [{ dtype: "float32" }], []],
  [{ tokens: "all" }, [{ tokens: "draws" }], []],
  [{ vocabSize: 0 }, [{ vocabSize: 1 }, { vocabSize: 2 ** 32 }], [{ vocabSize: 2 ** 32 + 1 }]],
  [{ maxPositions: 0 }, [{ maxPositions: 1 }], [{ maxPositions: undefined }]],
  [
    { shards: [{ file: "shard-1.bin", bytes: 0, rows: 0 }] },
    [{ shards: [] }, { shards: [{ file: "shard-00009.bin", bytes: 0, rows: 0 }] }],
    [
      { shards: [{ file: "../shard-00001.bin", bytes: 0, rows: 0 }] },
      { shards: [{ file: "shard-00001.bin.x", bytes: 0, rows: 0 }] },
      { shards: [{ file: "shard-00001.bin", bytes: -1, rows: 0 }] },
      { shards: [{ file: "shard-00001.bin", bytes: 0, rows: 0.5 }] },
    ],
  ],
  ...Object.keys(counts).map((name): [object, object[], object[]] => [
    { counts: { ...counts, [name]: -1 } },
    [{ counts: { ...counts, [name]: 0 } }],
    [{ counts: { ...counts, [name]: undefined } }],
  ]),
])("a manifest with %o is damaged", (first, right, wrong) => {
  for (const changes of right) expect(problem(changes), JSON.stringify(changes)).toBe("accepted");
  for (const changes of [first, ...wrong]) {
    const [field] = Object.keys(changes);
    expect(problem(changes), JSON.stringify(changes)).toMatch(
      new RegExp(
        `^rec/manifest\\.json: The manifest is damaged: ${field}[^ ]* is .*\\. Record it again`,
      ),
    );
  }
});

test("another version, and what is no manifest, is said as such", () => {
  expect(problem({ formatVersion: 2 })).toMatch(
    /The recording has format version 2, this pupil reads version 1\. Record it again/,
  );
  for (const json of [{}, null, []]) {
    expect(() => parseRecordingManifest(json, "m")).toThrow(
      "m: This is not the manifest of a recording: it has no formatVersion.",
    );
  }
});
