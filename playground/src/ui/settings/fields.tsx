import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Field } from "../../training/catalog.js";
import type { Json } from "../../training/settings.js";

interface ControlProps {
  readonly label: string;
  readonly hint?: string | undefined;
}

/** A label above its control, with what there is to know below it. */
function Labelled({
  label,
  hint,
  children,
}: ControlProps & { children: (id: string, hintId: string | undefined) => ComponentChildren }) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hintId)}
      {hint !== undefined && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface NumberProps extends ControlProps {
  readonly value: number | undefined;
  readonly least?: number | undefined;
  readonly most?: number | undefined;
  readonly step?: number | "any";
  readonly onChange: (value: number) => void;
}

/** A number; taken when it is finished, and only if it is one. */
export function NumberField({
  value,
  least,
  most,
  step = "any",
  onChange,
  ...labels
}: NumberProps) {
  return (
    <Labelled {...labels}>
      {(id, hintId) => (
        <input
          id={id}
          type="number"
          inputMode="decimal"
          aria-describedby={hintId}
          value={value}
          min={least}
          max={most}
          step={step}
          onChange={({ currentTarget }) => {
            if (currentTarget.checkValidity() && currentTarget.value !== "") {
              onChange(currentTarget.valueAsNumber);
            } else currentTarget.reportValidity();
          }}
        />
      )}
    </Labelled>
  );
}

export interface SliderProps extends ControlProps {
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly shown: string;
  readonly onChange: (value: number) => void;
}

export function SliderField({ value, least, most, step, shown, onChange, ...labels }: SliderProps) {
  return (
    <Labelled {...labels}>
      {(id, hintId) => (
        <div class="slider">
          <input
            id={id}
            type="range"
            aria-describedby={hintId}
            aria-valuetext={shown}
            min={least}
            max={most}
            step={step}
            value={value}
            onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber)}
          />
          <output for={id}>{shown}</output>
        </div>
      )}
    </Labelled>
  );
}

export interface ChoiceProps extends ControlProps {
  readonly value: string;
  readonly choices: readonly {
    readonly value: string;
    readonly title: string;
    readonly disabled?: boolean;
  }[];
  readonly onChange: (value: string) => void;
}

export function ChoiceField({ value, choices, onChange, ...labels }: ChoiceProps) {
  return (
    <Labelled {...labels}>
      {(id, hintId) => (
        <select
          id={id}
          aria-describedby={hintId}
          value={value}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value} disabled={choice.disabled === true}>
              {choice.title}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

interface SchemaFieldProps {
  readonly field: Field;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
}

/** The control of one option of a component, as its schema has it. */
export function SchemaField({ field, value, onChange }: SchemaFieldProps) {
  const { name, kind, description, least, most, choices = [] } = field;
  const given = value ?? field.default;
  const label = words(name);
  switch (kind) {
    case "number":
    case "integer":
      return (
        <NumberField
          {...{ label, least, most }}
          hint={description}
          step={kind === "integer" ? 1 : "any"}
          value={given as number | undefined}
          onChange={onChange}
        />
      );
    case "boolean":
      return (
        <CheckField {...{ label }} hint={description} value={given === true} onChange={onChange} />
      );
    case "choice":
      return (
        <ChoiceField
          {...{ label }}
          hint={description}
          value={String(given ?? "")}
          choices={choices.map((choice) => ({ value: choice, title: choice }))}
          onChange={onChange}
        />
      );
    case "choices":
      return <ChoicesField {...{ field, given }} onChange={onChange} />;
    case "json":
      return <JsonField {...{ label }} hint={description} value={given} onChange={onChange} />;
  }
}

export function CheckField({
  label,
  hint,
  value,
  onChange,
}: ControlProps & { value: boolean; onChange: (value: boolean) => void }) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        type="checkbox"
        checked={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

function ChoicesField({
  field,
  given,
  onChange,
}: {
  field: Field;
  given: Json | undefined;
  onChange: (value: Json) => void;
}) {
  const { name, description, choices = [] } = field;
  const chosen = Array.isArray(given) ? (given as string[]) : [String(given)];
  return (
    <fieldset class="field choices">
      <legend>{words(name)}</legend>
      {choices.map((choice) => (
        <label key={choice}>
          <input
            type="checkbox"
            checked={chosen.includes(choice)}
            onChange={({ currentTarget }) => {
              const next = choices.filter((one) =>
                one === choice ? currentTarget.checked : chosen.includes(one),
              );
              // One of them is needed.
              if (next.length === 0) currentTarget.checked = true;
              else onChange(next);
            }}
          />
          {choice}
        </label>
      ))}
      <p class="hint">{description}</p>
    </fieldset>
  );
}

function JsonField({
  label,
  hint,
  value,
  onChange,
}: ControlProps & { value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  return (
    <Labelled {...{ label, hint }}>
      {(id, hintId) => (
        <input
          id={id}
          type="text"
          spellcheck={false}
          aria-describedby={hintId}
          value={value === undefined ? "" : JSON.stringify(value)}
          onChange={({ currentTarget }) => {
            const { value: text } = currentTarget;
            try {
              currentTarget.setCustomValidity("");
              onChange(text.trim() === "" ? undefined : (JSON.parse(text) as Json));
            } catch {
              currentTarget.setCustomValidity("Write JSON, such as 0.5 or [1, 2].");
              currentTarget.reportValidity();
            }
          }}
        />
      )}
    </Labelled>
  );
}

/** `minDigits` as people write it. */
export const words = (name: string) => {
  const text = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return text.charAt(0).toUpperCase() + text.slice(1);
};
