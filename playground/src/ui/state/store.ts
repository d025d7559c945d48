import { computed, effect, signal } from "@preact/signals";
import { fromAddress, toAddress } from "../../training/address.js";
import { type PresetName, presets } from "../../training/presets.js";
import type {
  Frame,
  LoadedFacts,
  ModelRole,
  Report,
  Request,
  RunFacts,
  RunState,
  StepRow,
} from "../../training/protocol.js";
import { type JsonObject, type Settings, studentPath, withValue } from "../../training/settings.js";
import type { ChosenFile } from "pupil/browser";
import { taughtBy } from "../../training/taught-by.js";
import { beginCheck, passed } from "./checks.js";
import { download } from "../files/download.js";
import { addFrame, addRows } from "./history.js";
import { startWorker, type WorkerClient } from "./worker-client.js";

const first = readAddress();

/** What the address said, or why it could not be read. */
function readAddress(): { settings: Settings; problem?: string } {
  const fallback = presets["two-modes"].settings;
  try {
    return { settings: fromAddress(location.hash) ?? fallback };
  } catch (error) {
    return { settings: fallback, problem: linkProblem(error, "the first example") };
  }
}

function linkProblem(error: unknown, shown: string): string {
  return `This link cannot be read. ${(error as Error).message} Copy it again; what you see is ${shown}.`;
}

export const settings = signal<Settings>(first.settings);
export const run = signal<RunFacts | undefined>(undefined);
export const state = signal<RunState>("empty");
export const rows = signal<readonly StepRow[]>([]);
export const frames = signal<readonly Frame[]>([]);
export const tokensPerSecond = signal(0);
/** The frame that is looked at; undefined: the newest. */
export const frozenAt = signal<number | undefined>(undefined);
/** The token that is looked at, by student, text and place. */
export const chosen = signal<{ student: number; text: number; token: number } | undefined>(
  undefined,
);
export const shadeBy = signal<"f" | "r">("f");
export const problem = signal<string | undefined>(first.problem);
/** Whether the problem is one of the settings that stand there, which ends when they are good. */
let isOfSettings = false;
export const notice = signal<string | undefined>(undefined);
/** The settings before something took their place as a whole, which can be had back. */
export const replaced = signal<Settings | undefined>(undefined);
export const written = signal<{ readonly prompt: string; readonly text: string } | undefined>(
  undefined,
);
/** Models that the visitor gave. */
export const given = signal<{ readonly [R in ModelRole]?: GivenModel }>({});
/** Seconds for which the worker has not answered; 0 while that is no long time. */
export const silentSeconds = signal(0);

export interface GivenModel extends LoadedFacts {
  readonly name: string;
}

export const frame = computed(() => {
  const all = frames.value;
  const at = frozenAt.value;
  return at === undefined ? all.at(-1) : (all.find(({ step }) => step === at) ?? all.at(-1));
});
export const step = computed(() => rows.value.at(-1)?.step ?? 0);
export const isComparing = computed(() => settings.value.second !== undefined);

/** A loss that a link brought, or that was changed, waits until it was checked. */
export const waitsForCheck = computed(() => {
  const { ownLoss } = settings.value;
  return ownLoss !== undefined && !passed.value.has(ownLoss);
});

let client: WorkerClient | undefined;
/** Requests that wait for the settings to be sent. */
let wantsToRun = false;
let pending: ReturnType<typeof setTimeout> | undefined;
/** Settings that were sent and not yet answered: until then the worker's states are those of settings before. */
let unanswered = 0;

function onReport(report: Report): void {
  switch (report.type) {
    case "built":
      unanswered = Math.max(0, unanswered - 1);
      run.value = report.run;
      if (isOfSettings) problem.value = undefined;
      rows.value = [];
      frames.value = [];
      frozenAt.value = undefined;
      break;
    case "rows":
      rows.value = addRows(rows.value, report.rows);
      tokensPerSecond.value = report.tokensPerSecond;
      break;
    case "frame":
      frames.value = addFrame(frames.value, report.frame);
      break;
    case "state":
      if (unanswered > 0) break;
      state.value = report.state;
      if (report.state === "paused" && wantsToRun) {
        wantsToRun = false;
        client?.send({ type: "run" });
      }
      break;
    case "written":
      written.value = { prompt: report.prompt, text: report.text };
      break;
    case "exported":
      download(report.name, report.bytes, "application/octet-stream");
      break;
    case "handled":
      break;
    case "loaded":
      onLoaded(report);
      break;
    case "adopted":
      problem.value = undefined;
      replace(report.settings, report.notes.join(" ") || "The config is in the form now.");
      break;
    case "checked":
      break;
    case "refused":
      problem.value = report.message;
      if (report.of === "configure") unanswered = Math.max(0, unanswered - 1);
      isOfSettings = report.of === "configure" || report.of === "run" || report.of === "step";
      if (report.of === "load") notice.value = undefined;
      else wantsToRun = false;
      break;
  }
}

function onLoaded({ as, again, ...report }: Extract<Report, { type: "loaded" }>): void {
  given.value = { ...given.value, [as]: report };
  const request = asked.get(as);
  if (request !== undefined) loads.set(as, request);
  if (again) return;
  problem.value = undefined;
  const parameters = report.parameters.toLocaleString("en-US");
  const use = as === "student" ? "begins with it" : "learns from it";
  const said = `${report.name}: a ${as} of ${parameters} parameters. This run ${use}.`;
  const before = settings.value;
  const config = withValue(before.config, "student", { from: studentPath }) as JsonObject;
  const next = as === "student" ? { ...before, config } : taughtBy(before, report);
  replace(next, said);
}

/** Says something that nothing is to be done about. */
export function say(text: string): void {
  notice.value = text;
  replaced.value = undefined;
}

/** Puts other settings in the place of all that is there, which can be had back. */
function replace(next: Settings, said: string, goesOn = true): void {
  const before = settings.value;
  apply(next, goesOn);
  notice.value = said;
  replaced.value = before;
}

/** Has back what was replaced last. */
export function haveBack(): void {
  const before = replaced.value;
  replaced.value = undefined;
  notice.value = undefined;
  if (before !== undefined) apply(before);
}

/** What was given, which a worker that is begun anew is given again; and what was asked for last. */
const loads = new Map<ModelRole, LoadRequest>();
const asked = new Map<ModelRole, LoadRequest>();
type LoadRequest = Extract<Request, { type: "load" }>;

export function send(request: Request): void {
  client ??= startWorker(onReport);
  client.send(request);
}

/** Gives the worker a model folder, or a zip of one. */
export function giveModel(as: ModelRole, name: string, files: readonly ChosenFile[]): void {
  const request = { type: "load", as, name, files } as const;
  asked.set(as, request);
  problem.value = undefined;
  say(`${name} is being read.`);
  send(request);
}

/** Ends a worker that does not answer, and begins with another one. A loss of one's own is to be checked again. */
export function beginAnew(): void {
  client?.end();
  client = undefined;
  silentSeconds.value = 0;
  wantsToRun = false;
  unanswered = 0;
  state.value = "empty";
  const { ownLoss } = settings.value;
  passed.value = new Set([...passed.value].filter((source) => source !== ownLoss));
  for (const load of loads.values()) send({ ...load, again: true });
  configure();
}

/** Sends the settings; a run that goes on goes on with them, from its first step. */
function configure(): void {
  pending = undefined;
  if (waitsForCheck.value) return;
  unanswered += 1;
  state.value = "empty";
  send({ type: "configure", settings: settings.value });
}

/** New settings: the students are made anew, shortly after the last change. What runs goes on with them. */
export function apply(next: Settings, goesOn = true): void {
  wantsToRun = goesOn && (wantsToRun || state.value === "running");
  settings.value = next;
  replaced.value = undefined;
  chosen.value = undefined;
  if (pending !== undefined) clearTimeout(pending);
  pending = setTimeout(configure, 200);
}

export function choosePreset(name: PresetName): void {
  send({ type: "pause" });
  const { text, ownLoss } = settings.value;
  const next = presets[name].settings;
  const isWork = ownLoss !== undefined || (text !== undefined && "own" in text);
  if (isWork) replace(next, "Your settings, with the text or loss of yours, made room.", false);
  else apply(next, false);
}

export function start(): void {
  if (pending !== undefined) {
    wantsToRun = true;
    return;
  }
  frozenAt.value = undefined;
  send({ type: "run" });
}

export function pause(): void {
  wantsToRun = false;
  send({ type: "pause" });
}

export function oneStep(): void {
  frozenAt.value = undefined;
  send({ type: "step" });
}

export function reset(): void {
  wantsToRun = false;
  send({ type: "pause" });
  configure();
}

/** Checks losses; a training that waits for one of them goes on once it passed. */
export function check(source: string): void {
  problem.value = undefined;
  beginCheck(source, {
    onPassed: () => {
      if (settings.value.ownLoss === source) configure();
    },
    onProblem: (message) => (problem.value = message),
  });
}

/** Looks whether the worker answers. */
function watch(): void {
  const waited = client?.silentMs(state.value === "running") ?? 0;
  silentSeconds.value = waited >= 10_000 ? Math.floor(waited / 1000) : 0;
}

/** Keeps the address what the page is set to, and starts. */
export function begin(): void {
  effect(() => {
    const address = toAddress(settings.value);
    history.replaceState(null, "", `#${address}`);
  });
  addEventListener("hashchange", () => {
    try {
      const next = fromAddress(location.hash);
      if (next !== undefined && toAddress(next) !== toAddress(settings.value)) {
        replace(next, "These are the settings of the link.");
      }
    } catch (error) {
      problem.value = linkProblem(error, "what was there before");
      isOfSettings = false;
    }
  });
  setInterval(watch, 1000);
  configure();
}
