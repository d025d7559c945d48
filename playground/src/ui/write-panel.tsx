import { signal } from "@preact/signals";
import { CheckField, ChoiceField } from "./settings/fields.js";
import { names } from "./charts/charts.js";
import { isComparing, send, settings, state, written } from "./state/store.js";

const prompt = signal<string | undefined>(undefined);
const greedy = signal(true);
const student = signal(0);

/** A prompt that fits the data, to begin with. */
function firstPrompt(): string {
  const { data } = settings.value.config as { data: { type: string; task?: { type: string } } };
  if (data.type !== "task") return "abc";
  return data.task?.type === "addition" ? "322+581=" : "";
}

/** Has a student go on with a text, as it is now. */
export function WritePanel() {
  const text = prompt.value ?? firstPrompt();
  const answer = written.value;
  return (
    <div class="write">
      <div class="field">
        <label for="prompt">Prompt</label>
        <input
          id="prompt"
          type="text"
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={({ currentTarget }) => (prompt.value = currentTarget.value)}
        />
      </div>
      {isComparing.value && (
        <ChoiceField
          label="Student"
          value={String(student.value)}
          choices={names.value.map((name, i) => ({ value: String(i), title: name }))}
          onChange={(value) => (student.value = Number(value))}
        />
      )}
      <CheckField
        label="Always the likeliest token"
        value={greedy.value}
        onChange={(value) => (greedy.value = value)}
      />
      <button
        type="button"
        class="button"
        disabled={state.value === "empty"}
        onClick={() => {
          const which = isComparing.value ? student.value : 0;
          send({ type: "write", student: which, prompt: text, greedy: greedy.value });
        }}
      >
        Write
      </button>
      <output class="written" aria-live="polite" for="prompt">
        {answer === undefined ? (
          <span class="note">What it writes stands here.</span>
        ) : (
          <>
            <span class="prompt">{answer.prompt}</span>
            <b id="completion">{answer.text}</b>
          </>
        )}
      </output>
    </div>
  );
}
