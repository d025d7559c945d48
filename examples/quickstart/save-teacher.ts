/**
 * Saves the teacher that ships with the project, in half precision:
 *
 *     npx pupil train examples/quickstart/teacher.json && npx tsx examples/quickstart/save-teacher.ts
 */
import { startBackend } from "pupil";
import { findModelFolder, loadModelFolder, nodePlatform, saveModelFolder } from "pupil/node";
import { teacherFolder } from "./teacher-folder.js";

await startBackend("auto", { platform: nodePlatform });
const run = await findModelFolder("runs/quickstart-teacher");
const { model, tokenizer } = await loadModelFolder(run);
await saveModelFolder(teacherFolder, model, tokenizer, { dtype: "float16" });
console.log(`${run} → ${teacherFolder}: ${model.numParameters} parameters.`);
model.dispose();
