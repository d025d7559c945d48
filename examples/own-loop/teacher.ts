/**
 * A teacher of one's own, which knows the next token's distribution after any prefix, and a student that learns it on
 * what it writes itself.
 *
 *     npx tsx examples/own-loop/teacher.ts
 */
import {
  distill,
  exactTeacher,
  type ExactLanguage,
  initializeDecoder,
  lossTerm,
  modelConfigSchema,
  Random,
  reverseKlLoss,
  startBackend,
} from "pupil";
import { showRun } from "pupil/cli";
import { byteTokenizer, type TokenSequence } from "pupil/data";
import { nodePlatform, runLoop } from "pupil/node";

const settings = { seed: 1, steps: Number(process.argv[2] ?? 100), sureness: 0.8 };
const { seed, steps, sureness } = settings;
const tokenizer = byteTokenizer();
const { vocabSize } = tokenizer;

/** After a byte comes the next one with probability `sureness`, any other alike. */
const counting: ExactLanguage<number> = {
  vocabSize,
  start: 0,
  advance: (_state, id) => id,
  logProbs(state) {
    const values = new Float64Array(vocabSize).fill(Math.log((1 - sureness) / (vocabSize - 1)));
    values[(state + 1) % vocabSize] = Math.log(sureness);
    return values;
  },
};

await startBackend("auto", { platform: nodePlatform });
const random = new Random(seed);
const config = modelConfigSchema.parse({
  ...{ family: "llama", hiddenSize: 64, numLayers: 1, numHeads: 4, vocabSize, maxPositions: 24 },
});
/** Prompts of one byte, as a function of the step: a run that is resumed sees the same ones. */
const data = {
  rows: (step: number, count: number) =>
    Array.from({ length: count }, (_, row) => ({
      ids: [random.stream("prompts", step, row).integer(256)],
      completionStart: 1,
    })),
  promptOf: ({ ids }: TokenSequence) => ids,
};

await showRun(steps, (signal) =>
  runLoop({
    path: "runs/counting",
    ...{ settings, tokenizer, steps, signal },
    student: () => initializeDecoder(config, random.stream("student")),
    train: ({ student, optimizer, startStep }) =>
      distill({
        ...{ student, optimizer, startStep, data, tokenizer, random, steps },
        teacher: exactTeacher(counting, "counting"),
        loss: [lossTerm(reverseKlLoss, {})],
        ...{ maxNewTokens: 16, schedule: { learningRate: 3e-3 } },
      }),
  }),
);
