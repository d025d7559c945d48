import { signal } from "@preact/signals";
import { exampleLoss } from "../training/example-loss.js";
import type { CheckedLosses } from "../training/protocol.js";
import { short } from "./charts/scales.js";
import { checked, checkingSeconds, endCheck, passed } from "./state/checks.js";
import { dropOwnLoss, useOwnLoss } from "./settings/edit.js";
import { check, settings, waitsForCheck } from "./state/store.js";

const edited = signal<string | undefined>(undefined);

/** An editor for a loss of one's own, which is checked before it trains. */
export function LossEditor() {
  const source = edited.value ?? settings.value.ownLoss ?? exampleLoss;
  const outcome = checked.value?.source === source ? checked.value : undefined;
  const isPassed = passed.value.has(source);
  const isUsed = settings.value.ownLoss === source;
  const seconds = checkingSeconds.value;
  return (
    <div class="editor">
      <p class="note">
        A module in JavaScript that exports a loss, as <code>pupil check-losses</code> and a run
        config take it.
        {waitsForCheck.value && (
          <b>
            {" "}
            This one came with a link. It runs as code in this page: read it before you check it.
          </b>
        )}
      </p>
      <label class="hidden" for="loss-source">
        Module of a loss
      </label>
      <textarea
        id="loss-source"
        class="code"
        spellcheck={false}
        autocapitalize="off"
        rows={22}
        value={source}
        onInput={({ currentTarget }) => (edited.value = currentTarget.value)}
      />
      <div class="actions">
        <button
          type="button"
          class="button"
          disabled={seconds !== undefined}
          onClick={() => check(source)}
        >
          {seconds === undefined ? "Check it" : "Checking …"}
        </button>
        {seconds !== undefined && (
          <button type="button" class="button" onClick={endCheck}>
            Stop checking
          </button>
        )}
        {(checked.value?.source === source ? checked.value.losses : []).map(({ name }) => (
          <button
            type="button"
            key={name}
            class="button main"
            disabled={!isPassed || isUsed}
            onClick={() => useOwnLoss(source, name)}
          >
            {isUsed ? `${name} trains` : `Train with ${name}`}
          </button>
        ))}
        {settings.value.ownLoss !== undefined && (
          <button type="button" class="button" onClick={dropOwnLoss}>
            Back to forward-kl
          </button>
        )}
      </div>
      <div class="checks" role="status">
        {outcome !== undefined && <Outcome outcome={outcome} />}
        {seconds !== undefined && seconds >= 10 && (
          <p>
            The checks have not ended after ten seconds, most take two or three: look for a loop
            that has no end. They are stopped after two minutes.
          </p>
        )}
      </div>
    </div>
  );
}

function Outcome({ outcome }: { outcome: CheckedLosses }) {
  const { failed, total, losses } = outcome;
  const all = losses.flatMap(({ name, checks }) => checks.map((line) => ({ name, ...line })));
  const wrong = all.filter(({ problems }) => problems.length > 0);
  const gradient = Math.max(
    0,
    ...all
      .filter(({ check: what }) => what.includes("central differences"))
      .map(({ error }) => error),
  );
  return (
    <>
      <p>
        <b class={failed === 0 ? "right" : "wrong"}>
          {total - failed} of {total} checks passed.
        </b>{" "}
        {failed === 0 && `Its gradient is that of its values within ${short(gradient)}.`}
      </p>
      <ul>
        {wrong.map(({ name, config, check: what, problems }, i) => (
          <li key={i}>
            <b>
              {name} {config}: not true that it {what}.
            </b>{" "}
            {problems.join("; ")}
          </li>
        ))}
      </ul>
    </>
  );
}
