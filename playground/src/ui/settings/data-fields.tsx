import { givenTeacherPath, textPath } from "../../training/settings.js";
import { catalog } from "./catalog.js";
import { ChoiceField, NumberField, SchemaField } from "./fields.js";
import { fieldOf, setField, setFields } from "./edit.js";
import { apply, given, settings } from "../state/store.js";

/** What the teacher's tokenizer knows; undefined where the run makes its own of the data. */
function whatTeacherReads(): { tasks: readonly string[]; readsText: boolean } | undefined {
  const from = fieldOf("teacher.from");
  if (from === undefined && fieldOf("teacher.type") !== "model") return undefined;
  if (from === givenTeacherPath) return given.value.teacher ?? { tasks: [], readsText: true };
  const known = catalog.tasks.filter(({ isForTeacher }) => isForTeacher);
  return { tasks: known.map(({ name }) => name), readsText: false };
}

/** What a run's rows are made of, with its options. */
export function DataFields() {
  const type = fieldOf("data.type");
  const task = fieldOf("data.task.type");
  const value = type === "task" ? String(task) : "text";
  const reads = whatTeacherReads();
  const choice = (name: string, title: string, isKnown: boolean) => ({
    value: name,
    title: isKnown ? title : `${title} (the teacher does not know its characters)`,
    disabled: !isKnown,
  });
  const choices = [
    choice("text", "a text", reads?.readsText ?? true),
    ...catalog.tasks.map(({ name }) => choice(name, name, reads?.tasks.includes(name) ?? true)),
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
