import { startBackend } from "pupil";
import { nodePlatform } from "pupil/node";
import { parseConfig, runConfigSchema } from "pupil/config";
import { makeStudent } from "../playground/src/training/student.js";
import { presets } from "../playground/src/training/presets.js";
import { textOf } from "../playground/src/training/session.js";
await startBackend("wasm", { platform: nodePlatform });
const s = presets["two-modes"].settings;
const text = textOf(s);
for (const [offsets, hidden, lr, width, seed] of [[[4,11],2,0.02,1.3,1],[[4,11],2,0.05,1.3,2],[[3,12],2,0.02,1.3,1],[[3,13],2,0.02,1.3,1],[[4,11],2,0.02,1,3],[[5,12],3,0.02,1.3,1]] as const) {
  for (const loss of ["forward-kl", "reverse-kl"]) {
    const c = structuredClone(s.config) as any;
    c.teacher.offsets = offsets; c.teacher.width = width; c.student.architecture.hiddenSize = hidden; if (hidden===3) { c.student.architecture.headDim = 2; } c.trainer.loss = [{type: loss}]; c.trainer.learningRate = lr; c.seed = seed; c.trainer.batchSize = 16;
    const t0 = performance.now();
    using st = await makeStudent(parseConfig(runConfigSchema, c, "c"), { text, ownLosses: [], teacherModel: undefined, startFiles: undefined });
    const out: string[] = [];
    for (let i = 1; i <= 300; i++) { const r = await st.step(); if (i % 100 === 0) { const f = await st.look(i); const m = f.ring!.masses; out.push(`${i}: loss ${r!.loss.toFixed(2)} ${[m.first,m.second,m.outside].map(x=>Math.round(100*x)).join("/")}`); if (i===300) out.push(f.ring!.student.map(x=>Math.round(100*x)).join(" ")); } }
    console.log(JSON.stringify([offsets, hidden, lr, width, seed, loss]), out.join(" | "), Math.round(performance.now()-t0));
  }
}
