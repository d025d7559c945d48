import type { Random } from "../../tensors/index.js";
import { shuffledIndices } from "./shuffle.js";

/**
 * Which rows make up the batch of a step, when batches hold rows of similar length.
 *
 * An epoch's random order is cut into blocks of `blockSize` batches; the rows of a block are sorted
 * by length, cut into batches, and the batches taken in random order. So every row is seen once an
 * epoch, neighbours in a batch differ little in length, and long and short batches are mixed. A
 * batch that begins in one epoch and ends in the next keeps its random order. A function of (random,
 * step) alone.
 */
export function bucketedIndices(
  random: Random,
  lengthOf: (index: number) => number,
  options: {
    readonly size: number;
    readonly step: number;
    readonly batchSize: number;
    readonly blockSize: number;
  },
): number[] {
  const { size, step, batchSize, blockSize } = options;
  const epoch = Math.floor((step * batchSize) / size);
  // Steps that lie wholly in the epoch.
  const first = Math.ceil((epoch * size) / batchSize);
  const end = Math.floor(((epoch + 1) * size) / batchSize);
  if (step < first || step >= end)
    return shuffledIndices(random, size, step * batchSize, batchSize);
  const block = Math.floor((step - first) / blockSize);
  const blockStart = first + block * blockSize;
  const batches = Math.min(blockSize, end - blockStart);
  const indices = shuffledIndices(random, size, blockStart * batchSize, batches * batchSize);
  indices.sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const order = random.stream("length-buckets", epoch, block).permutation(batches);
  const batch = order[step - blockStart] as number;
  return indices.slice(batch * batchSize, (batch + 1) * batchSize);
}
