/** Every way in which decoders differ computes in an ONNX runtime what it computes here. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decoderToTensors, exportOnnx, type ModelConfig } from "../../src/models/index.js";
import { openOnnxSession } from "../../src/node/onnx/index.js";
import { type OnnxDecoder, type OnnxTensor, openOnnxDecoder } from "../../src/teachers/index.js";
import { temporaryFolder } from "../setup/temporary-folder.js";
import {
  largestDifference,
  logitsOf,
  tinyConfigs,
  tinyDecoder,
  windowedConfigs,
} from "../unit/models/tiny-models.js";

const left = {
  ids: [
    [0, 0, 0, 4, 5, 6, 1],
    [1, 2, 3, 4, 5, 6, 0],
  ],
  mask: [
    [0, 0, 0, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1],
  ],
};
const right = {
  ids: left.ids,
  mask: [
    [1, 1, 1, 1, 0, 0, 0],
    [1, 1, 1, 1, 1, 1, 1],
  ],
};

/** The number of real tokens before each one. */
const positionsOf = (mask: readonly (readonly number[])[]) =>
  mask.map((row) => row.map((_, t) => row.slice(0, t).reduce((sum, x) => sum + x, 0)));

type Past = Readonly<Record<string, OnnxTensor>>;

/** Feeds the columns from `start` to `end` of a batch. */
async function feed(
  decoder: OnnxDecoder,
  { ids, mask }: typeof left,
  [start, end]: readonly [number, number],
  past?: Past,
) {
  const columns = (rows: readonly (readonly number[])[], from = start) =>
    rows.flatMap((row) => row.slice(from, end));
  const rows = {
    batch: ids.length,
    length: end - start,
    ids: columns(ids),
    positions: columns(positionsOf(mask)),
    mask: columns(mask, 0),
    ...(past && { past }),
  };
  const { values, past: present } = await decoder.step(rows);
  const V = decoder.vocabSize;
  const logits = ids.map((_, b) =>
    Array.from({ length: rows.length }, (__, t) => {
      const first = (b * rows.length + t) * V;
      return [...values.subarray(first, first + V)];
    }),
  );
  return { logits, past: present };
}

/** Logits at real tokens only; what stands elsewhere has no meaning. */
const real = (logits: number[][][], mask: readonly (readonly number[])[]) =>
  logits.map((row, b) => row.filter((_, t) => mask[b]?.[t] === 1));

async function openExport(config: ModelConfig, folder: string): Promise<OnnxDecoder> {
  using decoder = tinyDecoder(config);
  const file = exportOnnx(config, await decoderToTensors(decoder));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "graph.onnx"), file);
  const source = { from: folder, file: "graph.onnx", device: "cpu" } as const;
  return openOnnxDecoder((await openOnnxSession(source)).session, folder);
}

describe.each(Object.entries({ ...tinyConfigs, ...windowedConfigs }))("%s", (_, config) => {
  test("has the same logits, padded on either side, at once and token by token", async () => {
    const exported = await openExport(config, temporaryFolder());
    using decoder = tinyDecoder(config);
    for (const batch of [left, right]) {
      const expected = real(logitsOf(decoder, batch.ids, batch.mask), batch.mask);
      const whole = await feed(exported, batch, [0, 7]);
      expect(largestDifference(real(whole.logits, batch.mask), expected)).toBeLessThan(1e-4);

      let { logits, past } = await feed(exported, batch, [0, 3]);
      for (let t = 3; t < 7; t++) {
        const next = await feed(exported, batch, [t, t + 1], past);
        logits = logits.map((row, b) => [...row, ...(next.logits[b] ?? [])]);
        past = next.past;
      }
      expect(largestDifference(real(logits, batch.mask), expected)).toBeLessThan(1e-4);
    }
    exported.dispose();
  });
});
