import { signal } from "@preact/signals";
import {
  givenTeacherPath,
  ownLossPath,
  type Settings,
  teacherPath,
  textPath,
} from "../../training/settings.js";
import { names } from "../charts/charts.js";
import { FilesButton } from "./give-model.js";
import { download } from "./download.js";
import { fieldOf } from "../settings/edit.js";
import { isComparing, problem, say, send, settings, state } from "../state/store.js";

const pasted = signal("");

/** The config file of a student, as `pupil train` reads it. */
const configText = ({ config }: Settings) => `${JSON.stringify(config, null, 2)}\n`;

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} is in the clipboard.`);
  } catch {
    problem.value = `The browser does not let this page copy. ${what}: ${text}`;
  }
}

/** What leaves the page, and what comes in: links, configs, students. */
export function FilesPanel() {
  const usesText = fieldOf("data.type") === "text" || fieldOf("teacher.path") !== undefined;
  return (
    <div class="files">
      <section>
        <h3>The run</h3>
        <p class="note">
          The address of this page is these settings: it makes the same run again, on the CPU to the
          last token.
        </p>
        <div class="actions">
          <button type="button" class="button" onClick={() => void copy(location.href, "The link")}>
            Copy the link
          </button>
          <button
            type="button"
            class="button"
            onClick={() => download("config.json", configText(settings.value), "application/json")}
          >
            config.json
          </button>
          {usesText && (
            <button
              type="button"
              class="button"
              onClick={() => send({ type: "text", settings: settings.value })}
            >
              {textPath}
            </button>
          )}
          {settings.value.ownLoss !== undefined && (
            <button
              type="button"
              class="button"
              onClick={() => download(ownLossPath, settings.value.ownLoss ?? "", "text/javascript")}
            >
              {ownLossPath}
            </button>
          )}
        </div>
        <details class="more">
          <summary>The config, and how to run it</summary>
          <pre tabIndex={0} role="region" aria-label="The config">
            {configText(settings.value)}
          </pre>
          <p class="note">
            <code>npx pupil train config.json</code>
            {usesText && `, with ${textPath} beside it`}
            {fieldOf("teacher.from") === givenTeacherPath &&
              `, with the teacher's folder beside it as ${givenTeacherPath}`}
            {fieldOf("teacher.from") === teacherPath &&
              `, in a clone of the project (in a project that has pupil installed, teacher.from=node_modules/pupil/${teacherPath})`}
            .
          </p>
        </details>
      </section>
      <section>
        <h3>A config of yours</h3>
        <div class="field">
          <label for="pasted">Paste the config.json of a run</label>
          <textarea
            id="pasted"
            rows={5}
            spellcheck={false}
            value={pasted.value}
            onInput={({ currentTarget }) => (pasted.value = currentTarget.value)}
          />
        </div>
        <button
          type="button"
          class="button"
          disabled={pasted.value.trim() === ""}
          onClick={() => send({ type: "adopt", text: pasted.value, settings: settings.value })}
        >
          Take it
        </button>
      </section>
      <section data-drop="student">
        <h3>The student</h3>
        <p class="note">
          A zip of a Hugging Face folder: <code>pupil generate</code> and transformers load it
          unpacked.
        </p>
        <div class="actions">
          {(isComparing.value ? [0, 1] : [0]).map((student) => (
            <button
              type="button"
              key={student}
              class="button"
              disabled={state.value === "empty"}
              onClick={() => send({ type: "export", student })}
            >
              {isComparing.value ? `Save ${names.value[student]}` : "Save the student"}
            </button>
          ))}
        </div>
        <p class="note">Load such a zip, or drop one here: a run can begin with it.</p>
        <div class="actions">
          <FilesButton label="Load a zip" as="student" />
          <FilesButton label="Load a folder" as="student" folder />
        </div>
      </section>
    </div>
  );
}
