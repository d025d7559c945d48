/**
 * Samples from a small model and distils it for three steps on a backend, as a program of its own.
 * Prints one line of JSON: the sampled tokens, and loss and gradient norm of every step.
 *
 *     training-child.ts <backend> <llama | gpt2>
 */
import * as pupil from "../../../src/index.js";
import { nodePlatform } from "../../../src/node/platform.js";

const [backend, family] = process.argv.slice(2) as [pupil.BackendChoice, string];
await pupil.startBackend(backend, { platform: nodePlatform, allowSoftwareAdapter: true });

const tokenizer = pupil.characterTokenizer({ alphabet: "0123456789+=,:~" });
const config = pupil.modelConfigSchema.parse({
  family,
  vocabSize: tokenizer.vocabSize,
  hiddenSize: 16,
  numLayers: 2,
  numHeads: 2,
  maxPositions: 40,
  initializerRange: 0.2,
});
const random = new pupil.Random(4);
const student = pupil.initializeDecoder(config, random.stream("student"));
const teacher = pupil.modelTeacher(pupil.initializeDecoder(config, random.stream("teacher")));
const dataset = pupil.datasetSchema.parse({ type: "task", task: { type: "addition" } });
const data = await pupil.prepareData(dataset, { tokenizer, random });

const rollouts = await pupil.sampleRollouts({
  model: student,
  prompts: ["1+2=", "123+456=", "9+9="].map((prompt) => pupil.encodePrompt(tokenizer, prompt)),
  endIds: tokenizer.endIds,
  padId: tokenizer.padId,
  maxNewTokens: 20,
  policy: pupil.samplingPolicySchema.parse({ topK: 8, topP: 0.95 }),
  random: random.stream("rollout"),
});
const steps: number[][] = [];
const optimizer = new pupil.AdamW(student.parameters);
const loss = [
  pupil.lossTerm(pupil.reverseKlLoss, { temperature: 1.5 }),
  pupil.lossTerm(pupil.crossEntropyLoss, {}, 0.2),
];
const training = { student, teacher, optimizer, loss, tokenizer, random, data: data.training };
for await (const metrics of pupil.distill({
  ...training,
  steps: 3,
  batchSize: 6,
  onPolicyFraction: 0.5,
  maxNewTokens: 12,
  maxGradNorm: 1,
})) {
  steps.push([metrics.loss, metrics.gradNorm, metrics.tokens]);
}
const tokens = rollouts.map(({ completionIds }) => completionIds);
process.stdout.write(`${JSON.stringify({ tokens, steps })}\n`);
for (const owner of [student, teacher, optimizer]) owner.dispose();
