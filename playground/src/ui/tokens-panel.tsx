import { useEffect } from "preact/hooks";
import type { Frame, LikelyToken, SeenText, SeenToken } from "../training/protocol.js";
import { names } from "./charts/charts.js";
import { percent, short } from "./charts/scales.js";
import { chosen, frame, frames, frozenAt, isComparing, shadeBy } from "./state/store.js";

/** From which KL on, in nats, a token has which shade; as in reports of runs. */
const shades = [0.05, 0.2, 0.5, 1, 2];
const shadeOf = (kl: number) =>
  Number.isNaN(kl) ? shades.length : shades.filter((least) => kl >= least).length;

/** What both models think of completions, token by token, now and at earlier steps. */
export function TokensPanel() {
  const current = frame.value;
  return (
    <div class="heat" data-by={shadeBy.value}>
      <div class="controls">
        <Scrubber />
        <fieldset>
          <legend>Shade by</legend>
          {(
            [
              ["f", "KL(teacher ‖ student)"],
              ["r", "KL(student ‖ teacher)"],
            ] as const
          ).map(([value, label]) => (
            <label key={value}>
              <input
                type="radio"
                name="shade"
                value={value}
                checked={shadeBy.value === value}
                onChange={() => (shadeBy.value = value)}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <ul class="shades" aria-label="Shades in nats">
          {shades.map((least, i) => (
            <li key={least} class={`s${i + 1}`}>
              ≥ {least}
            </li>
          ))}
          <li class="unit">nats</li>
        </ul>
      </div>
      <Detail current={current} />
      <div class={isComparing.value ? "sides two" : "sides"}>
        {(isComparing.value ? [0, 1] : [0]).map((student) => (
          <Side key={student} student={student} current={current} />
        ))}
      </div>
    </div>
  );
}

/** Goes back through the steps. */
function Scrubber() {
  const all = frames.value;
  const last = Math.max(0, all.length - 1);
  const at = frozenAt.value;
  const index =
    at === undefined
      ? last
      : Math.max(
          0,
          all.findIndex(({ step }) => step === at),
        );
  const shown = all[index]?.step ?? 0;
  return (
    <div class="scrubber">
      <label for="scrubber">
        Step <output>{shown}</output>
      </label>
      <input
        id="scrubber"
        type="range"
        min={0}
        max={Math.max(1, last)}
        step={1}
        value={index}
        disabled={last === 0}
        aria-valuetext={`step ${shown}`}
        onInput={({ currentTarget }) => {
          const i = currentTarget.valueAsNumber;
          frozenAt.value = i >= last ? undefined : all[i]?.step;
        }}
      />
      <button
        type="button"
        class="button small"
        disabled={at === undefined}
        onClick={() => (frozenAt.value = undefined)}
      >
        Latest
      </button>
    </div>
  );
}

function Side({ student, current }: { student: number; current: Frame | undefined }) {
  const texts = current?.students[student]?.texts ?? [];
  const groups = [
    ["student", "Written by the student now"],
    ["data", "Rows of the data"],
  ] as const;
  return (
    <div class="side">
      {isComparing.value && <h3 class={student === 0 ? "is-a" : "is-b"}>{names.value[student]}</h3>}
      {groups.map(([by, title]) => (
        <div key={by}>
          <h4>{title}</h4>
          {texts.map((text, i) =>
            text.by === by ? <Text key={i} {...{ student, index: i, text }} /> : null,
          )}
        </div>
      ))}
    </div>
  );
}

const moves: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowRight: (at, last) => Math.min(last, at + 1),
  ArrowLeft: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_at, last) => last,
};

function Text({ student, index, text }: { student: number; index: number; text: SeenText }) {
  const at = chosen.value;
  const isHere = at?.student === student && at.text === index;
  const choose = (token: number) => (chosen.value = { student, text: index, token });
  return (
    <p class="tokens" role="group" aria-label={`Completion of ${text.prompt}, token by token`}>
      <span class="prompt">{visible(text.prompt)}</span>
      {text.tokens.map((token, i) => (
        <button
          type="button"
          key={i}
          id={`token-${student}-${index}-${i}`}
          class={`token f${shadeOf(token.forwardKl)} r${shadeOf(token.reverseKl)}`}
          tabIndex={(isHere ? Math.min(at.token, text.tokens.length - 1) : 0) === i ? 0 : -1}
          aria-pressed={isHere && at.token === i}
          aria-label={`${visible(token.text)}: forward KL ${short(token.forwardKl)}, reverse KL ${short(token.reverseKl)} nats`}
          onClick={() => choose(i)}
          onKeyDown={(event) => {
            const move = moves[event.key];
            if (move === undefined) return;
            event.preventDefault();
            const next = move(i, text.tokens.length - 1);
            choose(next);
            document.getElementById(`token-${student}-${index}-${next}`)?.focus();
          }}
        >
          {visible(token.text)}
        </button>
      ))}
      {text.correct !== undefined && (
        <span class={text.correct ? "verdict right" : "verdict wrong"}>
          {text.correct ? "✓ right" : "✗ wrong"}
        </span>
      )}
    </p>
  );
}

/** What both models expect at the token that is chosen. */
function Detail({ current }: { current: Frame | undefined }) {
  const at = chosen.value;
  const texts = current?.students[at?.student ?? 0]?.texts;
  const text = texts?.[at?.text ?? 0];
  // A completion may have become shorter since.
  const token = text?.tokens[Math.min(at?.token ?? 0, text.tokens.length - 1)];
  useEffect(() => {
    if (at === undefined && text !== undefined)
      chosen.value = { student: 0, text: 0, token: mostApart(text) };
  }, [at, text]);
  return (
    <div class="detail" aria-live="off">
      {token === undefined ? (
        <p class="note">Choose a token: with the pointer, or with Tab and the arrow keys.</p>
      ) : (
        <TokenDetail token={token} kind={at?.student === 1 ? "b" : "a"} />
      )}
    </div>
  );
}

/** The token at which the models differ most, to begin with. */
function mostApart({ tokens }: SeenText): number {
  return tokens.reduce(
    (best, token, i) => (token.forwardKl > (tokens[best] as SeenToken).forwardKl ? i : best),
    0,
  );
}

function TokenDetail({ token, kind }: { token: SeenToken; kind: "a" | "b" }) {
  const facts: readonly (readonly [string, number])[] = [
    ["KL(teacher ‖ student)", token.forwardKl],
    ["KL(student ‖ teacher)", token.reverseKl],
    ["log T(y) − log S(y)", token.advantage],
    ["entropy: student", token.studentEntropy],
    ["entropy: teacher", token.teacherEntropy],
  ];
  const hasPush = token.likely.some(({ push }) => push !== undefined);
  const most = Math.max(1e-12, ...token.likely.map(({ push = 0 }) => Math.abs(push)));
  return (
    <>
      <p class="facts">
        <b>“{visible(token.text)}”</b>
        {facts.map(([name, value]) => (
          <span key={name}>
            {name} <b>{short(value)}</b>
          </span>
        ))}
        <span class="unit">nats</span>
      </p>
      <div class="likely" role="table" aria-label="The likeliest tokens here">
        <div role="row" class="head">
          <span role="columnheader">token</span>
          <span role="columnheader">teacher</span>
          <span role="columnheader">student</span>
          <span role="columnheader">
            {hasPush ? "push on its logit" : "the loss has no value of this token alone"}
          </span>
        </div>
        {token.likely.map((one, i) => (
          <Likely key={i} {...{ one, most, kind, isThis: one.text === token.text }} />
        ))}
      </div>
    </>
  );
}

function Likely({
  one,
  most,
  kind,
  isThis,
}: {
  one: LikelyToken;
  most: number;
  kind: "a" | "b";
  isThis: boolean;
}) {
  const { text, teacher, student, push } = one;
  const share = push === undefined ? 0 : Math.abs(push) / most;
  return (
    <div role="row" class={isThis ? "this" : ""}>
      <span role="cell" class="name">
        {visible(text)}
      </span>
      <span role="cell" class="track">
        <span class="rail">
          <i class="t" style={{ width: `${100 * teacher}%` }} />
        </span>
        {percent(teacher)}
      </span>
      <span role="cell" class="track">
        <span class="rail">
          <i class={kind} style={{ width: `${100 * student}%` }} />
        </span>
        {percent(student)}
      </span>
      <span role="cell" class="push">
        {push !== undefined && (
          <>
            <svg viewBox="-50 -6 100 12" aria-hidden="true" class={push >= 0 ? "up" : "down"}>
              <path class="middle" d="M0 -6V6" />
              <path d={`M0 0H${(Math.sign(push) * 44 * share).toFixed(1)}`} />
              {share > 0.12 && (
                <path
                  d={`M${(Math.sign(push) * (44 * share - 5)).toFixed(1)} -4L${(Math.sign(push) * 44 * share).toFixed(1)} 0L${(Math.sign(push) * (44 * share - 5)).toFixed(1)} 4`}
                />
              )}
            </svg>
            {push > 0 ? "+" : ""}
            {short(push)}
          </>
        )}
      </span>
    </div>
  );
}

/** Space and line ends are seen. */
const visible = (text: string) =>
  text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");
