import type { TracedToken, TraceRow } from "../../trainers/index.js";
import { type Html, html, trusted } from "./html.js";
import { shortNumber } from "./numbers.js";

/** From which KL on, in nats, a token has which shade. */
const shades = [0.05, 0.2, 0.5, 1, 2];
const shadeOf = (kl: number) =>
  Number.isNaN(kl) ? shades.length : shades.filter((least) => kl >= least).length;

/** Evaluations that are shown, the first and the last among them. */
const mostSteps = 8;
/** Completions of each set and evaluation. */
const mostTexts = 4;

/**
 * How both models see completions, token by token: a slider over the evaluations, a shade for each token, and what
 * both models thought of it where one points or goes with the arrow keys.
 */
export function heatMapOf(traces: readonly TraceRow[], id: string): Html | undefined {
  const all = [...new Set(traces.map(({ step }) => step))];
  if (all.length === 0) return undefined;
  const steps = evenly(all, mostSteps);
  const last = steps.length - 1;
  const shown = steps.map((step) => ({ step, rows: rowsAt(traces, step) }));
  const hasTeacher = traces.some(({ tokens }) =>
    tokens.some(({ forwardKl }) => forwardKl !== undefined),
  );
  const by = (value: string, label: string, isFirst: boolean) =>
    html`<label><input type="radio" name="by-${id}" value="${value}"${isFirst ? html` checked` : undefined}> ${label}</label>`;
  return html`<div class="heat" data-heat data-by="f">
<div class="controls">${
    steps.length > 1
      ? html`<label class="slider">Step <output>${steps[last]}</output> <input type="range" min="0" max="${last}" value="${last}" step="1" aria-label="Evaluation" data-steps="${steps.join(" ")}" aria-valuetext="step ${steps[last]}"></label>`
      : html`<span>Step ${steps[0]}</span>`
  }${
    hasTeacher
      ? html`<fieldset><legend>Shade by</legend>${by("f", "KL(teacher ‖ student)", true)}${by("r", "KL(student ‖ teacher)", false)}</fieldset>${legend()}`
      : html`<span>The student alone: no teacher scores its text.</span>`
  }</div>
<div class="detail" aria-live="polite"><p class="note">Point at a token, or go to one with Tab and the arrow keys.</p></div>
<div class="texts">${shown.map(
    ({ rows }, i) =>
      html`<div data-step="${i}"${i === last ? undefined : html` hidden`}>${rows.map(textOf)}</div>`,
  )}</div>
<script type="application/json" data-details>${trusted(detailsOf(shown.flatMap(({ rows }) => rows.flatMap(({ tokens }) => tokens))))}</script>
</div>`;
}

const legend = () =>
  html`<ul class="shades" aria-label="Shades in nats">${shades.map((least, i) => html`<li class="s${i + 1}">≥ ${least}</li>`)}<li class="unit">nats</li></ul>`;

/** The first completions of each set. */
function rowsAt(traces: readonly TraceRow[], step: number): TraceRow[] {
  const rows = traces.filter((row) => row.step === step);
  const sets = [...new Set(rows.map(({ set }) => set))];
  return sets.flatMap((set) => rows.filter((row) => row.set === set).slice(0, mostTexts));
}

const textOf = ({ set, prompt, tokens }: TraceRow) =>
  html`<div class="text"><span class="set">${set}</span><p class="tokens" role="group" aria-label="Completion of ${prompt}, token by token"><span class="prompt">${prompt}</span>${tokens.map(tokenOf)}</p></div>`;

function tokenOf(token: TracedToken, i: number): Html {
  const { text, forwardKl, reverseKl } = token;
  const shown = shownText(text);
  const far =
    forwardKl === undefined || reverseKl === undefined
      ? `entropy ${shortNumber(token.studentEntropy)} nats`
      : `forward KL ${shortNumber(forwardKl)}, reverse KL ${shortNumber(reverseKl)} nats`;
  const classes = `f${shadeOf(forwardKl ?? 0)} r${shadeOf(reverseKl ?? 0)}`;
  return html`<button type="button" class="token ${classes}" tabindex="${i === 0 ? 0 : -1}" aria-label="${shown}: ${far}">${shown}</button>`;
}

/** What the script shows of the tokens, in their order on the page; it sets every text in it as text. */
function detailsOf(tokens: readonly TracedToken[]): string {
  const list = (alternatives: TracedToken["student"] = []) =>
    alternatives.flatMap(({ text, probability }) => [shownText(text), probability]);
  const details = tokens.map((token) => {
    const { forwardKl, reverseKl, advantage, studentEntropy, teacherEntropy } = token;
    const facts = [forwardKl, reverseKl, advantage, studentEntropy, teacherEntropy].map((value) =>
      value === undefined ? "" : shortNumber(value),
    );
    return [facts, list(token.student), list(token.teacher)];
  });
  return JSON.stringify(details).replaceAll("<", "\\u003c");
}

/** Space and line ends are seen. */
const shownText = (text: string) =>
  text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");

/** Some of a list, spread evenly, the first and the last among them. */
export function evenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => {
    const at = Math.round((i * (list.length - 1)) / (most - 1));
    return list[at] as T;
  });
}
