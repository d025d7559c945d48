/**
 * Gives inputs to readers, in a process of its own that may hang or die: writes to a file which input
 * it is about to read before it reads it, and every fault that it lives to see.
 *
 *     child.ts <progress file> <faults file> <seed> <target>:<first>-<end> …
 */
import { appendFileSync, openSync, writeSync } from "node:fs";
import { faultOf, makeInput } from "./run-input.js";
import { targets } from "./targets/index.js";

const [progressPath = "", faultsPath = "", seed = "1", ...jobs] = process.argv.slice(2);
const progress = openSync(progressPath, "w");

for (const [job, text] of jobs.entries()) {
  const [, name, first, end] = /^(.+):(\d+)-(\d+)$/.exec(text) ?? [];
  const target = targets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new Error(`There is no reader called ${name}.`);
  const seeds = await target.seeds();
  for (const whole of seeds) {
    const fault = await faultOf(target, whole);
    if (fault !== undefined) throw new Error(`The whole input of ${name} has a fault: ${fault}`);
  }
  for (let index = Number(first); index < Number(end); index++) {
    writeSync(progress, `${job} ${index}`.padEnd(32), 0);
    const reason = await faultOf(target, makeInput(target, seeds, Number(seed), index));
    if (reason === undefined) continue;
    appendFileSync(faultsPath, `${JSON.stringify({ target: name, index, reason })}\n`);
  }
}
writeSync(progress, "done".padEnd(32), 0);
// What a reader left running is not waited for.
process.exit(0);
