import { ChoiceField, NumberField, SliderField } from "./fields.js";
import { fieldOf, setField } from "./edit.js";

/** Places on the slider of learning rates: 1, 2, 3, 5 of each power of ten. */
const rates = [-5, -4, -3, -2].flatMap((power) =>
  [1, 2, 3, 5].map((digit) => Number(`${digit}e${power}`)),
);

/** How a run trains, and on what. */
export function TrainingFields() {
  const fraction = (fieldOf("trainer.onPolicyFraction") ?? 1) as number;
  const rate = (fieldOf("trainer.learningRate") ?? 1e-3) as number;
  const nearest = rates.reduce(
    (best, one, i) =>
      Math.abs(Math.log(one / rate)) < Math.abs(Math.log((rates[best] as number) / rate))
        ? i
        : best,
    0,
  );
  return (
    <>
      <SliderField
        label="On-policy fraction"
        hint="Share of the rows that the student writes itself; of the others the data's text is read."
        least={0}
        most={1}
        step={0.05}
        value={fraction}
        shown={`${Math.round(100 * fraction)} %`}
        onChange={(value) => setField("trainer.onPolicyFraction", value)}
      />
      <SliderField
        label="Learning rate"
        least={0}
        most={rates.length - 1}
        step={1}
        value={nearest}
        shown={String(rate)}
        onChange={(value) => setField("trainer.learningRate", rates[value] as number)}
      />
      <div class="pair">
        <NumberField
          label="Rows of a step"
          least={1}
          most={256}
          step={1}
          value={(fieldOf("trainer.batchSize") ?? 16) as number}
          onChange={(value) => setField("trainer.batchSize", value)}
        />
        <NumberField
          label="Steps"
          least={1}
          most={100000}
          step={1}
          value={fieldOf("trainer.steps") as number}
          onChange={(value) => setField("trainer.steps", value)}
        />
      </div>
      <div class="pair">
        <NumberField
          label="Seed"
          least={0}
          step={1}
          value={(fieldOf("seed") ?? 1) as number}
          onChange={(value) => setField("seed", value)}
        />
        <ChoiceField
          label="Computes on"
          value={String(fieldOf("backend") ?? "auto")}
          choices={[
            { value: "auto", title: "GPU if there is one" },
            { value: "wasm", title: "the CPU" },
            { value: "webgpu", title: "WebGPU" },
          ]}
          onChange={(value) => setField("backend", value === "auto" ? undefined : value)}
        />
      </div>
    </>
  );
}
