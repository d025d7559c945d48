import { presets } from "../../training/presets.js";
import { givenTeacherPath, type Json, teacherPath, textPath } from "../../training/settings.js";
import { taughtBy } from "../../training/taught-by.js";
import { ChoiceField, NumberField, SliderField } from "./fields.js";
import { GiveTeacher } from "../files/give-model.js";
import { fieldOf, setField, setFields } from "./edit.js";
import { apply, given, settings } from "../state/store.js";

const teacherTitles = [
  {
    value: "model",
    title: "the quickstart's, which adds",
    hint: "794 thousand parameters, trained on additions; it comes with the project.",
  },
  {
    value: "folder",
    title: "a model folder of yours",
    hint: "A Hugging Face folder that was dropped on this page or chosen below; it stays in this page.",
  },
  {
    value: "bimodal",
    title: "two planted modes",
    hint: "The next token lies near one of two places on the ring of tokens: the true distribution is known.",
  },
  {
    value: "n-gram",
    title: "n-grams of the text",
    hint: "Counts of the text, smoothed: the true distribution is known.",
  },
  {
    value: "self",
    title: "the student before training",
    hint: "For losses that keep a student near where it began, beside one on the data.",
  },
] as const;

/** What a student learns from, with its options. */
export function TeacherFields() {
  const kind = String(fieldOf("teacher.type") ?? "model");
  const type = fieldOf("teacher.from") === givenTeacherPath ? "folder" : kind;
  const folder = given.value.teacher;
  const isText = fieldOf("data.type") === "text";
  const current = teacherTitles.find(({ value }) => value === type);
  const make: Readonly<Record<string, () => Readonly<Record<string, Json | undefined>>>> = {
    model: () => ({
      teacher: { type: "model", from: teacherPath },
      tokenizer: undefined,
      data: presets.addition.settings.config["data"],
    }),
    bimodal: () => ({
      teacher: { type: "bimodal", offsets: [3, 11], weight: 0.6, width: 1.3 },
      tokenizer: { type: "character", characters: "" },
    }),
    "n-gram": () => ({
      teacher: { type: "n-gram", path: textPath, order: 4 },
      tokenizer: { type: "character", characters: "" },
    }),
    self: () => ({
      teacher: { type: "self", emaDecay: 1 },
      tokenizer: { type: "character", characters: "" },
      "trainer.loss": [{ type: "cross-entropy" }, { type: "reverse-kl", weight: 0.1 }],
      "trainer.onPolicyFraction": 0.5,
    }),
  };
  return (
    <>
      <ChoiceField
        label="Learns from"
        hint={current?.hint ?? `A teacher of the type ${type}, from a config.`}
        value={type}
        choices={[
          ...teacherTitles.map(({ value, title }) => ({
            ...{ value, title },
            disabled:
              (value === "n-gram" && !isText) || (value === "folder" && folder === undefined),
          })),
          ...(current === undefined ? [{ value: type, title: type }] : []),
        ]}
        onChange={(value) => {
          if (value !== "folder") setFields(make[value]?.() ?? {});
          else if (folder !== undefined) apply(taughtBy(settings.value, folder));
        }}
      />
      <GiveTeacher />
      {type === "bimodal" && <BimodalFields />}
      {type === "n-gram" && (
        <NumberField
          label="Order n"
          hint="The next token depends on the n − 1 before it."
          least={1}
          most={8}
          step={1}
          value={(fieldOf("teacher.order") ?? 3) as number}
          onChange={(value) => setField("teacher.order", value)}
        />
      )}
    </>
  );
}

function BimodalFields() {
  const weight = (fieldOf("teacher.weight") ?? 0.5) as number;
  const width = (fieldOf("teacher.width") ?? 1) as number;
  return (
    <>
      <div class="pair">
        {([0, 1] as const).map((mode) => (
          <NumberField
            key={mode}
            label={`Mode ${mode + 1}, ids ahead`}
            least={0}
            most={200}
            step={1}
            value={fieldOf(`teacher.offsets.${mode}`) as number}
            onChange={(value) => setField(`teacher.offsets.${mode}`, value)}
          />
        ))}
      </div>
      <SliderField
        label="Probability of mode 1"
        least={0.05}
        most={0.95}
        step={0.05}
        value={weight}
        shown={`${Math.round(100 * weight)} %`}
        onChange={(value) => setField("teacher.weight", value)}
      />
      <SliderField
        label="Width of a mode"
        least={0.4}
        most={4}
        step={0.1}
        value={width}
        shown={`${width.toFixed(1)} ids`}
        onChange={(value) => setField("teacher.width", value)}
      />
    </>
  );
}
