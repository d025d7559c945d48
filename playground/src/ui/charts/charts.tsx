import { computed } from "@preact/signals";
import type { StudentStep } from "../../training/protocol.js";
import { type Line, LineChart } from "./line-chart.js";
import { configOf, type Json, type Settings, valueAt } from "../../training/settings.js";
import { frame, frozenAt, isComparing, rows, run, settings } from "../state/store.js";

/** What the students are called, by what they differ in. */
export const names = computed<readonly string[]>(() => {
  if (!isComparing.value) return ["student"];
  const [first, second] = [0, 1].map((student) => lossName(settings.value, student)) as [
    string,
    string,
  ];
  return first === second ? ["first", "second"] : [first, second];
});

/** What a student's loss is called: its terms. Known before the worker has made anything, so that nothing moves then. */
function lossName(of: Settings, student: number): string {
  const terms = valueAt(configOf(of, student), "trainer.loss");
  if (!Array.isArray(terms)) return "";
  return terms.map((term: Json) => String(valueAt(term, "type"))).join(" + ");
}

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
