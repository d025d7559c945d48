/** One stage of an ablation in a process of its own: gets it by message, says how far it is. */
import { PupilError } from "../../../errors/index.js";
import { collector } from "./collector.js";
import { makeStage } from "./make-stage.js";
import type { PlannedStage } from "./stage.js";

/** What such a process says. */
export type StageMessage =
  | { readonly type: "ready" }
  | { readonly type: "step"; readonly step: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

const say = (message: StageMessage) => process.send?.(message);

/** What is said of an error: of one that nobody expected, where it happened. */
export function messageOf(error: unknown): string {
  const isExpected = error instanceof PupilError;
  return isExpected ? error.message : String((error as Error)?.stack ?? error);
}

async function makeOwn(stage: PlannedStage, signal: AbortSignal): Promise<void> {
  let said = 0;
  const onStep = (step: number) => {
    if (performance.now() - said < 200) return;
    said = performance.now();
    say({ type: "step", step });
  };
  await makeStage(stage, { signal, collector, onStep });
}

if (process.send !== undefined && process.env["PUPIL_STAGE"] === "1") {
  const stop = new AbortController();
  // The runner was killed: end after this step, with a checkpoint.
  process.on("disconnect", () => stop.abort());
  process.on("SIGTERM", () => stop.abort());
  process.on("SIGINT", () => undefined);
  process.once("message", (stage: PlannedStage) => {
    makeOwn(stage, stop.signal)
      .then(() => say({ type: "done" }))
      .catch((error: unknown) => say({ type: "failed", message: messageOf(error) }))
      .finally(() => process.disconnect?.());
  });
  say({ type: "ready" });
}
