import { computed } from "@preact/signals";
import type { StudentStep } from "../training/protocol.js";
import { type Line, LineChart } from "./line-chart.js";
import { frame, frozenAt, isComparing, rows, run, settings } from "./store.js";

/** What the students are called, by what they differ in. */
export const names = computed<readonly string[]>(() => {
  if (!isComparing.value) return ["student"];
  const [path] = Object.keys(settings.value.second ?? {});
  const facts = run.value?.students;
  if (path !== "trainer.loss" || facts === undefined || facts.length < 2)
    return ["first", "second"];
  const [first, second] = facts.map(({ terms }) => terms.join(" + "));
  return first === second ? ["first", "second"] : [first as string, second as string];
});

const linesOf = (value: (step: StudentStep) => number | undefined): Line[] =>
  names.value.map((name, i) => ({
    name,
    kind: i === 0 ? "a" : "b",
    points: rows.value.flatMap(({ step, students }) => {
      const one = students[i];
      const y = one && value(one);
      return y === undefined ? [] : [{ x: step, y }];
    }),
  }));

/** Loss and both divergences, as they come in. */
export function Charts() {
  const steps = run.value?.steps ?? 100;
  const marked = frozenAt.value === undefined ? undefined : frame.value?.step;
  const common = { steps, marked };
  return (
    <section class="charts" aria-label="Curves">
      <LineChart
        title="Loss"
        unit="nats per token"
        lines={linesOf(({ loss }) => loss)}
        {...common}
      />
      <LineChart
        title="Forward KL"
        unit="KL(teacher ‖ student), nats"
        lines={linesOf(({ forwardKl }) => forwardKl)}
        {...common}
      />
      <LineChart
        title="Reverse KL"
        unit="KL(student ‖ teacher), nats"
        lines={linesOf(({ reverseKl }) => reverseKl)}
        {...common}
      />
    </section>
  );
}
