import { catalog } from "./catalog.js";
import { type PresetName, presets } from "../training/presets.js";
import { type Json, type JsonObject, teacherPath, textPath } from "../training/settings.js";
import { ChoiceField, NumberField, SchemaField, SliderField } from "./fields.js";
import { LossTerms } from "./loss-terms.js";
import { SecondStudent } from "./second-student.js";
import {
  apply,
  choosePreset,
  fieldOf,
  loadedStudent,
  setField,
  setFields,
  settings,
} from "./store.js";

/** Everything that decides a run, by subject. */
export function SettingsForm() {
  return (
    <form class="settings" aria-label="Settings" onSubmit={(event) => event.preventDefault()}>
      <Presets />
      <Part title="Data">
        <DataFields />
      </Part>
      <Part title="Teacher">
        <TeacherFields />
      </Part>
      <Part title="Student">
        <StudentFields />
      </Part>
      <Part title="Loss">
        <LossTerms
          path="trainer.loss"
          terms={terms()}
          onChange={(next) => setField("trainer.loss", next)}
        />
      </Part>
      <Part title="Second student">
        <SecondStudent />
      </Part>
      <Part title="Training">
        <TrainingFields />
      </Part>
    </form>
  );
}

const terms = () => (fieldOf("trainer.loss") ?? []) as readonly JsonObject[];

function Part({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <details class="part" open>
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
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

const isOfPage = () => fieldOf("teacher.type") === "model" || fieldOf("teacher.from") !== undefined;

function DataFields() {
  const type = fieldOf("data.type");
  const task = fieldOf("data.task.type");
  const value = type === "task" ? String(task) : "text";
  const isModel = isOfPage();
  const choices = [
    { value: "text", title: "a text", disabled: isModel },
    ...catalog.tasks.map(({ name, isForTeacher }) => ({
      value: name,
      title: isModel && !isForTeacher ? `${name} (the teacher does not know its characters)` : name,
      disabled: isModel && !isForTeacher,
    })),
  ];
  const entry = catalog.tasks.find(({ name }) => name === task);
  return (
    <>
      <ChoiceField
        label="Learns"
        hint={type === "task" ? entry?.summary : "Windows of a text, at random places."}
        value={value}
        choices={choices}
        onChange={(chosen) => {
          if (chosen === "text") {
            const { config, ...rest } = settings.value;
            apply({
              ...rest,
              config: {
                ...config,
                data: { type: "text", path: textPath, sequenceLength: 48, promptLength: 8 },
              },
              text: settings.value.text ?? { sample: "verse" },
            });
          } else setFields({ data: { type: "task", task: { type: chosen } } });
        }}
      />
      {type === "text" ? (
        <TextFields />
      ) : (
        entry && (
          <details class="more">
            <summary>Options of the task</summary>
            {entry.fields.map((field) => (
              <SchemaField
                key={`${entry.name}.${field.name}`}
                field={field}
                value={fieldOf(`data.task.${field.name}`)}
                onChange={(next) => setField(`data.task.${field.name}`, next)}
              />
            ))}
          </details>
        )
      )}
    </>
  );
}

const sampleTitles: Readonly<Record<string, string>> = {
  ring: "a walk on a ring of 24 letters",
  verse: "“You are old, Father William”",
};

function TextFields() {
  const { text } = settings.value;
  const own = text !== undefined && "own" in text ? text.own : undefined;
  return (
    <>
      <ChoiceField
        label="Text"
        value={
          own === undefined ? ((text as { sample: string } | undefined)?.sample ?? "verse") : "own"
        }
        choices={[
          ...Object.entries(sampleTitles).map(([value, title]) => ({ value, title })),
          { value: "own", title: "one that I paste" },
        ]}
        onChange={(value) => {
          const next =
            value === "own"
              ? { own: "To be, or not to be, that is the question:\n".repeat(8) }
              : { sample: value };
          apply({ ...settings.value, text: next });
        }}
      />
      {own !== undefined && (
        <div class="field">
          <label for="own-text">Your text</label>
          <textarea
            id="own-text"
            rows={6}
            spellcheck={false}
            value={own}
            aria-describedby="own-text-hint"
            onChange={({ currentTarget }) =>
              apply({ ...settings.value, text: { own: currentTarget.value } })
            }
          />
          <p class="hint" id="own-text-hint">
            Some thousand characters are enough. It is packed into the link of this page.
          </p>
        </div>
      )}
      <div class="pair">
        <NumberField
          label="Tokens of a row"
          least={2}
          most={512}
          step={1}
          value={(fieldOf("data.sequenceLength") ?? 64) as number}
          onChange={(value) => setField("data.sequenceLength", value)}
        />
        <NumberField
          label="Of the prompt"
          least={1}
          most={256}
          step={1}
          value={(fieldOf("data.promptLength") ?? 8) as number}
          onChange={(value) => setField("data.promptLength", value)}
        />
      </div>
    </>
  );
}

const teacherTitles = [
  {
    value: "model",
    title: "the quickstart's, which adds",
    hint: "794 thousand parameters, trained on additions; it comes with the project.",
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

function TeacherFields() {
  const type = String(fieldOf("teacher.type") ?? "model");
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
            disabled: value === "n-gram" && !isText,
          })),
          ...(current === undefined ? [{ value: type, title: type }] : []),
        ]}
        onChange={(value) => setFields(make[value]?.() ?? {})}
      />
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

const families = ["llama", "gpt2", "qwen2", "qwen3", "mistral"];

function StudentFields() {
  const from = fieldOf("student.from");
  const loaded = loadedStudent.value;
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

/** Places on the slider of learning rates: 1, 2, 3, 5 of each power of ten. */
const rates = [-5, -4, -3, -2].flatMap((power) =>
  [1, 2, 3, 5].map((digit) => Number(`${digit}e${power}`)),
);

function TrainingFields() {
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
