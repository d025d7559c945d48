import type { ComponentType } from "preact";
import { type PresetName, presets } from "../../training/presets.js";
import type { Json, JsonObject } from "../../training/settings.js";
import { DataFields } from "./data-fields.js";
import { Guarded } from "../guarded.js";
import { LossTerms } from "./loss-terms.js";
import { SecondStudent } from "./second-student.js";
import { fieldOf, setField } from "./edit.js";
import { choosePreset } from "../state/store.js";
import { StudentFields } from "./student-fields.js";
import { TeacherFields } from "./teacher-fields.js";
import { TrainingFields } from "./training-fields.js";

/** Everything that decides a run, by subject. */
export function SettingsForm() {
  return (
    <form class="settings" aria-label="Settings" onSubmit={(event) => event.preventDefault()}>
      <Presets />
      <Part title="Data" of={DataFields} />
      <Part title="Teacher" of={TeacherFields} />
      <Part title="Student" of={StudentFields} />
      <Part title="Loss" of={FirstLoss} />
      <Part title="Second student" of={SecondStudent} />
      <Part title="Training" of={TrainingFields} />
    </form>
  );
}

function FirstLoss() {
  const terms = (fieldOf("trainer.loss") ?? []) as readonly JsonObject[];
  const onChange = (next: readonly JsonObject[]) => setField("trainer.loss", next as Json);
  return <LossTerms path="trainer.loss" {...{ terms, onChange }} />;
}

function Part({ title, of }: { title: string; of: ComponentType }) {
  return (
    <details class="part" open>
      <summary>
        <h2>{title}</h2>
      </summary>
      <Guarded what={title} of={of} />
    </details>
  );
}

function Presets() {
  const current = fieldOf("name");
  return (
    <fieldset class="presets">
      <legend>Begin with</legend>
      {Object.entries(presets).map(([name, { title, summary, settings: preset }]) => (
        <button
          type="button"
          key={name}
          aria-pressed={current === preset.config["name"]}
          onClick={() => choosePreset(name as PresetName)}
        >
          <b>{title}</b>
          <span>{summary}</span>
        </button>
      ))}
    </fieldset>
  );
}
