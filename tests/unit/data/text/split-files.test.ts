import { describe, expect, test } from "vitest";
import { splitFiles, splitNames } from "../../../../src/data/index.js";

const files = (paths: readonly string[], split = "train", format?: "json" | "text") =>
  splitFiles(paths, { split, format, source: "folder" });

const hub = [
  "README.md",
  ".gitattributes",
  "data/train-00000-of-00002.parquet",
  "data/train-00001-of-00002.parquet",
  "data/test-00000-of-00001.parquet",
  "dataset_infos.json",
];

describe("splitFiles", () => {
  test("finds the files of a split in every usual form, in order", () => {
    expect(files([...hub].reverse())).toEqual(hub.slice(2, 4));
    expect(files(hub, "test")).toEqual(hub.slice(4, 5));
    expect(files(["train.jsonl", "validation.jsonl"], "validation")).toEqual(["validation.jsonl"]);
    expect(files(["train/1.csv", "train/0.csv", "test/0.csv"])).toEqual([
      "train/0.csv",
      "train/1.csv",
    ]);
    expect(files(["gsm_train_v2.json", "gsm_test.json"])).toEqual(["gsm_train_v2.json"]);
    expect(files(["data/my_split-00000-of-00001.parquet"], "my_split")).toHaveLength(1);
    expect(splitNames(hub)).toEqual(["test", "train"]);
  });

  test("files without a split in their names are the training split", () => {
    expect(files(["b.jsonl", "a.jsonl", "README.md"])).toEqual(["a.jsonl", "b.jsonl"]);
    expect(files(["b.txt", "a.jsonl"], "train", "text")).toEqual(["b.txt"]);
    expect(files(["README.txt", "a.jsonl"])).toEqual(["a.jsonl"]);
    // A word inside another is no split.
    expect(files(["latest.jsonl", "trainer.jsonl"])).toHaveLength(2);
  });

  test.each<[string, () => unknown, string]>([
    [
      "a split that is not there",
      () => files(hub, "trian"),
      'folder: has no split "trian". Did you mean "train"?',
    ],
    ["no splits at all", () => files(["a.jsonl"], "test"), 'has no split "test". Allowed: train.'],
    [
      "two formats",
      () => files(["train.jsonl", "train.parquet"]),
      'has the split "train" as jsonl and as parquet. Set format',
    ],
    [
      "several subsets",
      () => files(["en/train.jsonl", "fr/train.jsonl"]),
      'has the split "train" in several folders. Name one of them (subset on the Hub, path on disk): en/, fr/.',
    ],
    [
      "Arrow",
      () => files(["dataset_dict.json", "train/data-00000-of-00001.arrow", "train/state.json"]),
      "folder: holds Arrow files, which are not read. Export the data as Parquet",
    ],
    ["nothing", () => files(["README.md"]), "folder: holds no data files. It needs Parquet"],
  ])("%s", (_name, run, message) => {
    expect(run).toThrow(message);
  });
});
