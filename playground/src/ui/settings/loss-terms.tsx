import { catalog } from "./catalog.js";
import type { LossEntry } from "../../training/catalog.js";
import type { Json, JsonObject } from "../../training/settings.js";
import { ChoiceField, NumberField, SchemaField } from "./fields.js";
import { checked } from "../state/checks.js";
import { fieldOf, setFields } from "./edit.js";

interface LossTermsProps {
  readonly path: string;
  readonly terms: readonly JsonObject[];
  readonly onChange: (terms: readonly JsonObject[]) => void;
}

/** The terms of a loss, each with its options as the registry has them. */
export function LossTerms({ path, terms, onChange }: LossTermsProps) {
  const replace = (index: number, term: JsonObject | undefined) =>
    onChange(terms.flatMap((one, i) => (i !== index ? [one] : term === undefined ? [] : [term])));
  return (
    <>
      {terms.map((term, index) => (
        <Term
          key={`${path}.${index}`}
          term={term}
          isOnly={terms.length === 1}
          onChange={(next) => replace(index, next)}
        />
      ))}
      <button
        type="button"
        class="button small"
        onClick={() => onChange([...terms, { type: "reverse-kl", weight: 1 }])}
      >
        Add a term
      </button>
    </>
  );
}

/** Why a loss cannot be a term here; undefined if it can. */
export function obstacle({ ofLayers }: LossEntry): string | undefined {
  const teacher = fieldOf("teacher.type") ?? "model";
  return ofLayers && teacher !== "model" && teacher !== "self"
    ? "needs a teacher that is a model"
    : undefined;
}

/** The losses of a menu; those that cannot be chosen say why. */
export function lossChoices(current: string) {
  const own = (checked.value?.losses ?? []).map(({ name }) => name);
  const known = catalog.losses.map((entry) => {
    const why = obstacle(entry);
    return {
      value: entry.name,
      title: why === undefined ? entry.name : `${entry.name} (${why})`,
      disabled: why !== undefined,
    };
  });
  const others = [...new Set([...own, current])].filter(
    (name) => !known.some(({ value }) => value === name),
  );
  return [...known, ...others.map((name) => ({ value: name, title: `${name} (your own)` }))];
}

/** What a loss needs of the teacher beside logits is asked of it. */
export function askTeacher(name: string): void {
  const lists = catalog.losses.find((entry) => entry.name === name)?.lists;
  if (lists === undefined) return;
  const other = lists === "topK" ? "samples" : "topK";
  setFields({
    [`teacher.${lists}`]: fieldOf(`teacher.${lists}`) ?? 8,
    [`teacher.${other}`]: undefined,
  });
}

function Term({
  term,
  isOnly,
  onChange,
}: {
  term: JsonObject;
  isOnly: boolean;
  onChange: (term: JsonObject | undefined) => void;
}) {
  const name = String(term["type"]);
  const entry = catalog.losses.find((one) => one.name === name);
  const set = (field: string, value: Json | undefined) => {
    const { [field]: _old, ...others } = term;
    onChange(value === undefined ? others : { ...others, [field]: value });
  };
  const weight = term["weight"] ?? 1;
  return (
    <div class="term">
      <ChoiceField
        label="Loss"
        hint={entry?.summary}
        value={name}
        choices={lossChoices(name)}
        onChange={(value) => {
          onChange(term["weight"] === undefined ? { type: value } : { type: value, weight });
          askTeacher(value);
        }}
      />
      {entry?.rows !== undefined && (
        <p class="hint">
          {entry.rows === "data"
            ? "Learns rows of the data alone: the on-policy fraction must be below 100 %."
            : "Learns what the student wrote alone: the on-policy fraction must be above 0 %."}
        </p>
      )}
      {entry?.lists !== undefined && (
        <NumberField
          label={
            entry.lists === "topK" ? "The teacher's likeliest tokens" : "Draws from the teacher"
          }
          least={1}
          step={1}
          value={(fieldOf(`teacher.${entry.lists}`) ?? 8) as number}
          onChange={(value) => setFields({ [`teacher.${entry.lists}`]: value })}
        />
      )}
      {entry?.fields.map((field) => (
        <SchemaField
          key={`${name}.${field.name}`}
          field={field}
          value={term[field.name]}
          onChange={(value) => set(field.name, value)}
        />
      ))}
      {(!isOnly || weight !== 1) && typeof weight === "number" && (
        <NumberField
          label="Weight"
          hint="Factor of this term in the sum."
          least={0}
          value={weight}
          onChange={(value) => set("weight", value)}
        />
      )}
      {entry !== undefined && (
        <details class="more">
          <summary>What it is</summary>
          <dl>
            <dt>Formula</dt>
            <dd class="formula">{entry.formula}</dd>
            {entry.direction !== "—" && (
              <>
                <dt>Direction</dt>
                <dd>{entry.direction}</dd>
              </>
            )}
            {entry.whenToUse !== "" && (
              <>
                <dt>When to use it</dt>
                <dd>{entry.whenToUse}</dd>
              </>
            )}
            {entry.failureSignature !== "" && (
              <>
                <dt>How it fails</dt>
                <dd>{entry.failureSignature}</dd>
              </>
            )}
          </dl>
        </details>
      )}
      {!isOnly && (
        <button type="button" class="button small" onClick={() => onChange(undefined)}>
          Take this term out
        </button>
      )}
    </div>
  );
}
