import { readRerankLists, type RerankDataset } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { DataAccess, DatasetKind } from "./dataset-kind.js";

/** Queries with candidates to rank. They can be read and shown; no trainer takes them yet. */
export const rerankDataset: DatasetKind<RerankDataset> = {
  hasEnds: true,
  async characters(dataset, files) {
    const { lists } = await readLists(dataset, files);
    const texts = lists.flatMap(({ query, candidates }) => [
      query,
      ...candidates.map((c) => c.text),
    ]);
    return texts.join("");
  },
  prepare() {
    throw new PupilError("No trainer learns from rerank lists yet.", {
      field: "data.type",
      value: "rerank",
      remedy: "`pupil data` shows them, and readRerankLists gives them to your own code.",
    });
  },
  readLists,
};

async function readLists(dataset: RerankDataset, files: DataAccess) {
  const { corpus, queries, qrels, run } = dataset;
  return readRerankLists({
    corpus: await files.open(corpus),
    queries: await files.open(queries),
    qrels: await files.open(qrels),
    run: run === undefined ? undefined : await files.open(run),
  });
}
