import { startBackend } from "pupil";
import { nodePlatform } from "pupil/node";
import { exampleLoss } from "../playground/src/training/example-loss.js";
import { checkLosses } from "../playground/src/training/own-loss.js";
await startBackend("cpu", { platform: nodePlatform });
const t0 = performance.now();
const o = await checkLosses(exampleLoss, async (s) => (await import(`data:text/javascript,${encodeURIComponent(s)}`)) as object);
console.log(o.failed, o.total, Math.round(performance.now() - t0));
for (const l of o.losses) for (const c of l.checks) if (c.problems.length) console.log(c);
