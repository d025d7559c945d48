/**
 * Runs methods in full and refreshes their reports in examples/methods. `npm run ablations [-- names]
 * ["seeds=[11,12,13]"] [processes=2]`. The usual seeds are ones that nobody had looked at while the settings were chosen.
 * Stages stay in ablations/stages, so that a run that was stopped continues, and what methods have in
 * common is made once.
 */
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { applyOverrides } from "../../src/config/index.js";
import { findMethod, methodDefinitions } from "../../src/methods/index.js";
import {
  ablate,
  labelOf,
  methodReadme,
  methodReports,
  planMethod,
  writeFileAtomic,
} from "../../src/node/index.js";

const words = process.argv.slice(2);
const names = words.filter((word) => !word.includes("="));
const { seeds = [11, 12, 13], processes } = applyOverrides(
  {},
  words.filter((word) => word.includes("=")),
) as { seeds?: number | number[]; processes?: number };
const chosen =
  names.length === 0 ? methodDefinitions : names.map((name) => findMethod(name, methodDefinitions));

for (const method of chosen) {
  const { name } = method;
  const counted = typeof seeds === "number" ? `seeds=${seeds}` : `"seeds=${JSON.stringify(seeds)}"`;
  const command = `npx pupil ablate ${name} ${counted}`;
  const plan = await planMethod(method, [], { seeds, stages: "ablations/stages" });
  console.log(`${name}: ${plan.stages.length} stages`);
  const began = performance.now();
  const results = await ablate({
    ...{ plan, command, processes },
    report: (event) => {
      if (event.type === "failed") console.log(`  ${labelOf(event.stage)}: ${event.message}`);
      if (event.type === "done") {
        console.log(`  ${labelOf(event.stage)}: ${event.seconds.toFixed(1)} s`);
      }
    },
  });
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`${name}: ${results.verdict?.result ?? "no verdict"}, ${minutes} minutes`);
  if (!results.finished) {
    console.log(`${name} is unfinished: its report in examples/methods stays as it was.`);
    process.exitCode = 1;
    continue;
  }
  const target = join(methodReports, name);
  await mkdir(target, { recursive: true });
  await rm(join(target, "plots"), { recursive: true, force: true });
  for (const part of ["report.md", "report.html", "results.json", "plots"]) {
    await cp(join(plan.folder, part), join(target, part), { recursive: true });
  }
  await writeFileAtomic(join(target, "README.md"), methodReadme(plan, results, command));
}
