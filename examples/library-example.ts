import * as pupil from "pupil";
import { loadModelFolder, nodePlatform } from "pupil/node";

await pupil.startBackend("auto", { platform: nodePlatform });
const { model, tokenizer } = await loadModelFolder("examples/quickstart/teacher");
const random = new pupil.Random(1);
const addition = pupil.datasetSchema.parse({ type: "task", task: { type: "addition" } });
const { training: data } = await pupil.prepareData(addition, { tokenizer, random });
using teacher = pupil.modelTeacher(model);
using student = pupil.initializeDecoder({ ...model.config, numLayers: 1 }, random);
using optimizer = new pupil.AdamW(student.parameters);
const loss = [pupil.lossTerm(pupil.reverseKlLoss, { temperature: 1 })];
const options = { student, teacher, data, optimizer, loss, tokenizer, random, maxNewTokens: 24 };
for await (const { step, loss } of pupil.distill({ ...options, steps: 5 })) {
  console.log(`step ${step}: reverse KL ${loss.toFixed(2)} nats per token`);
}
