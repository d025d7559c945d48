import { presets } from "../../training/presets.js";
import type { Json } from "../../training/settings.js";
import { ChoiceField, NumberField } from "./fields.js";
import { fieldOf, setField } from "./edit.js";
import { given } from "../state/store.js";

const families = ["llama", "gpt2", "qwen2", "qwen3", "mistral"];

/** The shape of a student, or the folder that it begins as. */
export function StudentFields() {
  const from = fieldOf("student.from");
  const loaded = given.value.student?.name;
  const isFresh = from === undefined;
  const field = (name: string) => fieldOf(`student.architecture.${name}`);
  const number = (name: string, label: string, fallback: number, most: number) => (
    <NumberField
      label={label}
      least={1}
      most={most}
      step={1}
      value={(field(name) ?? fallback) as number}
      onChange={(value) => setField(`student.architecture.${name}`, value)}
    />
  );
  return (
    <>
      {(loaded !== undefined || !isFresh) && (
        <ChoiceField
          label="Begins as"
          value={isFresh ? "fresh" : "loaded"}
          choices={[
            { value: "fresh", title: "a fresh one" },
            { value: "loaded", title: loaded ?? "the one that was loaded" },
          ]}
          onChange={(value) =>
            setField(
              "student",
              value === "loaded"
                ? { from: "student" }
                : (presets.addition.settings.config["student"] as Json),
            )
          }
        />
      )}
      {isFresh && (
        <>
          <div class="pair">
            <ChoiceField
              label="Family"
              value={String(field("family"))}
              choices={families.map((family) => ({ value: family, title: family }))}
              onChange={(value) => setField("student.architecture.family", value)}
            />
            {number("hiddenSize", "Width", 64, 512)}
          </div>
          <div class="pair">
            {number("numLayers", "Layers", 1, 12)}
            {number("numHeads", "Heads", 1, 16)}
          </div>
        </>
      )}
    </>
  );
}
