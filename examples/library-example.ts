import { AdamW, byteTokenizer, datasetSchema, distill, initializeDecoder, lossTerm } from "pupil";
import { modelConfigSchema, modelTeacher, prepareData, Random } from "pupil";
import { reverseKlLoss, sft, startBackend } from "pupil";
import { nodePlatform, saveModelFolder } from "pupil/node";

await startBackend("auto", { platform: nodePlatform });
const random = new Random(1);
const tokenizer = byteTokenizer();
const task = datasetSchema.parse({ type: "task", task: { type: "addition" } });
const { training: data, positions, maxNewTokens } = await prepareData(task, { tokenizer, random });
const shape = { family: "llama", hiddenSize: 64, numHeads: 4, maxPositions: positions };
const newModel = (numLayers = 1) => {
  const config = { ...shape, numLayers, vocabSize: tokenizer.vocabSize };
  return initializeDecoder(modelConfigSchema.parse(config), random.stream("model", numLayers));
};

const large = newModel(2); // becomes the teacher: 200 steps on worked additions
const options = { data, tokenizer, random, batchSize: 16, schedule: { learningRate: 3e-3 } };
const optimizer = new AdamW(large.parameters);
for await (const { step, loss } of sft({ ...options, student: large, optimizer, steps: 200 })) {
  if (step % 100 === 0) console.log(`teacher, step ${step}: ${loss.toFixed(2)} nats per token`);
}

// #region distil
const student = newModel(1); // learns from the teacher's view of what it writes itself
const distillation = {
  ...{ ...options, student, teacher: modelTeacher(large), maxNewTokens },
  ...{ optimizer: new AdamW(student.parameters), loss: [lossTerm(reverseKlLoss, {})] },
};
for await (const { step, loss } of distill({ ...distillation, steps: 100 })) {
  if (step % 25 === 0) console.log(`student, step ${step}: reverse KL ${loss.toFixed(2)}`);
}
// #endregion
await saveModelFolder("my-student", student, tokenizer);
