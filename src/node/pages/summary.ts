import { type Html, html } from "./html.js";
import { duration, shortNumber } from "./numbers.js";
import type { RunView } from "./run-view.js";

const stateWords: Readonly<Record<RunView["state"], string>> = {
  finished: "finished",
  diverged: "diverged: the student is of no use",
  running: "running",
  stopped: "stopped: it can be resumed",
  broken: "broken",
};

/** Where a run stands, as a word with a colour. */
export const stateChip = (state: RunView["state"]): Html =>
  html`<span class="chip ${state}">${stateWords[state]}</span>`;

/** A card for each run: where it stands, and how fast it is. */
export function summaryOf(runs: readonly RunView[]): Html {
  const cards = runs.map((run, i) => {
    const facts = factsOf(run);
    const swatch =
      runs.length === 1
        ? undefined
        : html`<span class="dot" style="background:var(--series-${i % 8})"></span>`;
    return html`<div class="card"><h3>${swatch}${run.name} ${stateChip(run.state)}</h3><progress max="${Math.max(1, run.steps)}" value="${run.done}" aria-label="Steps of ${run.name}"></progress><dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>`;
  });
  return html`<div class="cards">${cards}</div>`;
}

function factsOf({ log, done, steps, config }: RunView): [string, string][] {
  const { lastStep, steps: rows, every } = log;
  const sum = (name: string) =>
    every * rows.reduce((total, { values }) => total + (values[name] ?? 0), 0);
  const ms = sum("elapsedMs");
  const speed = ms === 0 ? undefined : (1000 * sum("tokens")) / ms;
  const trainer = config["trainer"] as
    | { readonly type?: string; readonly loss?: readonly { type?: string }[] }
    | undefined;
  const losses = trainer?.loss?.map(({ type }) => type).join(" + ");
  const left =
    speed === undefined || done === 0 ? undefined : ((ms / done) * (steps - done)) / 1000;
  const evaluated = log.others.findLast((row) => row.type === "evaluation");
  return [
    ["steps", `${done.toLocaleString("en-US")} of ${steps.toLocaleString("en-US")}`],
    ...(trainer?.type === undefined
      ? []
      : [["trainer", `${trainer.type}${losses ? `, ${losses}` : ""}`] as [string, string]]),
    ...(ms === 0
      ? []
      : [
          [
            "training",
            `${duration(ms / 1000)}${left !== undefined && left > 0 ? `, ${duration(left)} left` : ""}`,
          ] as [string, string],
        ]),
    ...(speed === undefined
      ? []
      : [["speed", `${shortNumber(speed)} tokens/s`] as [string, string]]),
    ...(lastStep === undefined
      ? []
      : [["last loss", shortNumber(lastStep.values["loss"] ?? Number.NaN)] as [string, string]]),
    ...(evaluated === undefined
      ? []
      : [["evaluated at", `step ${evaluated.step}`] as [string, string]]),
  ];
}
