import { evenly } from "./heat-map.js";
import { type Html, html } from "./html.js";
import type { Sample } from "./run-view.js";

/** Evaluations and prompts that samples are shown of. */
const mostColumns = 4;
const mostPrompts = 8;

/** What was written for the same prompts over time. */
export function samplesOf(samples: readonly Sample[]): Html | undefined {
  if (samples.length === 0) return undefined;
  const steps = evenly([...new Set(samples.map(({ step }) => step))], mostColumns);
  const keyOf = ({ set, prompt }: Sample) => `${set}\n${prompt}`;
  const keys = [...new Set(samples.filter(({ step }) => step === steps.at(-1)).map(keyOf))].slice(
    0,
    mostPrompts,
  );
  const at = new Map(samples.map((sample) => [`${sample.step}\n${keyOf(sample)}`, sample]));
  const rows = keys.map((key) => {
    const [set = "", ...prompt] = key.split("\n");
    return html`<tr><th scope="row"><span class="set">${set}</span><span class="wrap">${prompt.join("\n")}</span></th>${steps.map((step) => html`<td>${completionOf(at.get(`${step}\n${key}`))}</td>`)}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of samples"><table class="samples"><thead><tr><th scope="col">prompt</th>${steps.map((step) => html`<th scope="col">step ${step}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function completionOf(sample: Sample | undefined): Html {
  if (sample === undefined) return html``;
  const { correct, completion } = sample;
  const verdict =
    correct === undefined
      ? undefined
      : correct
        ? html`<span class="right" role="img" aria-label="right">✓</span> `
        : html`<span class="wrong" role="img" aria-label="wrong">✗</span> `;
  return html`<div class="verdict">${verdict}<span class="wrap">${completion}</span></div>`;
}
