import type { Json, JsonObject } from "../../training/settings.js";
import { ChoiceField, NumberField, SliderField } from "./fields.js";
import { LossTerms } from "./loss-terms.js";
import { fieldOf, setSecond } from "./edit.js";
import { settings } from "../state/store.js";

/** In what a second student can differ, and with what it then begins. */
const differences: Readonly<Record<string, { title: string; begin: () => Json }>> = {
  "trainer.loss": {
    title: "its loss",
    begin: () => {
      const first = fieldOf("trainer.loss.0.type");
      return [{ type: first === "reverse-kl" ? "forward-kl" : "reverse-kl" }];
    },
  },
  "trainer.onPolicyFraction": {
    title: "its on-policy fraction",
    begin: () => ((fieldOf("trainer.onPolicyFraction") ?? 1) === 0 ? 1 : 0),
  },
  "trainer.learningRate": {
    title: "its learning rate",
    begin: () => ((fieldOf("trainer.learningRate") ?? 1e-3) as number) / 3,
  },
};

/** A second student with one difference: both begin with the same weights and read the same rows. */
export function SecondStudent() {
  const { second } = settings.value;
  const [path, value] = Object.entries(second ?? {})[0] ?? ["none", undefined];
  const known = differences[path];
  return (
    <>
      <ChoiceField
        label="Differs in"
        hint={
          second === undefined
            ? "Trains two students side by side, from the same weights on the same rows."
            : "Everything else is the same: the first weights, the rows, the random numbers."
        }
        value={path}
        choices={[
          { value: "none", title: "there is none" },
          ...Object.entries(differences).map(([field, { title }]) => ({ value: field, title })),
          ...(second === undefined || known !== undefined ? [] : [{ value: path, title: path }]),
        ]}
        onChange={(field) => {
          const difference = differences[field];
          setSecond(difference && { [field]: difference.begin() });
        }}
      />
      {path === "trainer.loss" && (
        <LossTerms
          path="second"
          terms={value as readonly JsonObject[]}
          onChange={(terms) => setSecond({ [path]: terms })}
        />
      )}
      {path === "trainer.onPolicyFraction" && (
        <SliderField
          label="On-policy fraction of the second"
          least={0}
          most={1}
          step={0.05}
          value={value as number}
          shown={`${Math.round(100 * (value as number))} %`}
          onChange={(fraction) => setSecond({ [path]: fraction })}
        />
      )}
      {path === "trainer.learningRate" && (
        <NumberField
          label="Learning rate of the second"
          least={1e-7}
          most={1}
          value={value as number}
          onChange={(rate) => setSecond({ [path]: rate })}
        />
      )}
    </>
  );
}
