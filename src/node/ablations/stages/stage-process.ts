/**
 * One stage of an ablation in a process of its own: `node stage-process.js <file of the order>`, or with the order in
 * its words where no folder is shared. What it made lies in the stage's folder; how it failed, or where it was stopped,
 * in the file that the order names.
 */
import { readFileSync } from "node:fs";
import { NotFiniteError } from "../../../errors/index.js";
import type { CellOutcome } from "../../executors/cell.js";
import { writeFileAtomic } from "../../files/atomic.js";
import type { Computing } from "./computing.js";
import { resultLines } from "./results-in-logs.js";
import { isFinished } from "./stage.js";
import { inlineOrder, messageOf, type StageMessage, type StageOrder } from "./stage-order.js";

/** Exit code of a process that was asked to end and has saved what it had (EX_TEMPFAIL of sysexits.h). */
const stoppedCode = 75;
/** Steps are said this often at most. */
const betweenSaysMs = 200;

const words = process.argv.slice(2);
const sent = inlineOrder(words);
const { stage, outcome } = sent ?? (JSON.parse(readFileSync(words[0] ?? "", "utf8")) as StageOrder);

const stop = new AbortController();
// The runner was killed: end after this step, with a checkpoint.
process.on("disconnect", () => stop.abort());
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => undefined);

let reached = 0;
let said = 0;
function onStep(step: number): void {
  reached = step;
  if (process.send === undefined || performance.now() - said < betweenSaysMs) return;
  said = performance.now();
  process.send({ type: "step", step } satisfies StageMessage);
}

function onComputing(computing: Computing): void {
  process.send?.({ type: "computes", computing } satisfies StageMessage);
}

async function end(how: CellOutcome, code: number): Promise<void> {
  if (outcome !== undefined) await writeFileAtomic(outcome, JSON.stringify(how));
  process.exitCode = code;
}

try {
  if (!(await isFinished(stage))) {
    // What trains takes longer to load than to see that there is nothing to do.
    const { makeStage } = await import("./make-stage.js");
    const { collector } = await import("./collector.js");
    await makeStage(stage, { signal: stop.signal, collector, onStep, onComputing });
  }
  if (await isFinished(stage)) {
    if (sent !== undefined) for (const line of await resultLines(stage)) process.stdout.write(line);
  } else if (stop.signal.aborted) await end({ type: "stopped", step: reached }, stoppedCode);
  else process.exitCode = 1;
} catch (error) {
  const message = messageOf(error);
  process.stderr.write(`${message}\n`);
  await end({ type: "failed", message, isFinal: error instanceof NotFiniteError }, 1);
} finally {
  if (process.connected) process.disconnect();
}
