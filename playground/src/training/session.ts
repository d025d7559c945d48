import { type BackendChoice, PupilError, type RunConfig } from "pupil";
import { type FolderFiles, type LoadedModel, loadModel, zipFolder, zipModel } from "pupil/browser";
import { parseConfig, runConfigSchemaWith } from "pupil/config";
import { type ImportText, checkLosses, lossesOf } from "./own-loss.js";
import type { Frame, Report, Request, RunState, StepRow, StudentStep } from "./protocol.js";
import { samples } from "./samples.js";
import {
  configOf,
  isObject,
  type Json,
  type JsonObject,
  ownLossPath,
  type Settings,
  studentPath,
  teacherPath,
  textPath,
  valueAt,
  withValue,
} from "./settings.js";
import { makeStudent, type TrainedStudent } from "./student.js";

/** What a session needs from where it runs. */
export interface SessionPlace {
  emit(report: Report, transfer?: readonly ArrayBuffer[]): void;
  /** Starts the engine that a config names. */
  startEngine(choice: BackendChoice): Promise<{ readonly line: string; readonly backend: string }>;
  /** The teacher that comes with the page. */
  readonly teacherFolder: FolderFiles;
  readonly importText: ImportText;
  /** Lets messages in between two steps. */
  breathe(): Promise<void>;
}

/** Frames of a run, beside those of single steps: what can be gone back to. */
const framesOfRun = 120;
/** Milliseconds between reports of steps. */
const reportEveryMs = 50;

export interface Session extends AsyncDisposable {
  handle(request: Request): Promise<void>;
}

/**
 * The training behind a page: what it is asked for, one thing after another, between the steps of what runs.
 */
export function makeSession(place: SessionPlace): Session {
  let students: TrainedStudent[] = [];
  let state: RunState = "empty";
  let step = 0;
  let steps = 0;
  let engine:
    | (Awaited<ReturnType<SessionPlace["startEngine"]>> & { choice: BackendChoice })
    | undefined;
  let teacherModel: LoadedModel | undefined;
  let startFolder: FolderFiles | undefined;
  let rows: StepRow[] = [];
  let reportedAt = 0;
  let lastFrame = -1;
  let runs = 0;
  let busy: Promise<unknown> = Promise.resolve();

  /** One at a time: nothing is replaced in the middle of a step. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const result = busy.then(task);
    busy = result.catch(() => undefined);
    return result;
  };
  const setState = (next: RunState) => {
    if (next === state) return;
    state = next;
    place.emit({ type: "state", state });
  };
  const release = async () => {
    const released = students;
    students = [];
    for (const student of released) await student.release();
  };
  const useEngine = async (choice: BackendChoice) => {
    if (engine?.choice === choice) return engine;
    // What lives on one engine is not the other's.
    await release();
    teacherModel?.model.dispose();
    teacherModel = undefined;
    engine = undefined;
    engine = { ...(await place.startEngine(choice)), choice };
    return engine;
  };
  const flush = () => {
    if (rows.length === 0) return;
    const tokens = rows.reduce((sum, row) => sum + sumOf(row, ({ tokens: n }) => n), 0);
    const ms = rows.reduce((sum, row) => sum + sumOf(row, ({ elapsedMs }) => elapsedMs), 0);
    place.emit({ type: "rows", rows, tokensPerSecond: (1000 * tokens) / Math.max(1, ms) });
    rows = [];
    reportedAt = performance.now();
  };
  const show = async () => {
    if (lastFrame === step) return;
    const frames: Frame["students"][number][] = [];
    for (const student of students) frames.push(await student.look(step));
    lastFrame = step;
    flush();
    place.emit({ type: "frame", frame: { step, students: frames } });
  };
  const advance = async (): Promise<boolean> => {
    const done: StudentStep[] = [];
    for (const student of students) {
      const one = await student.step();
      if (one === undefined) return false;
      done.push(one);
    }
    step += 1;
    rows.push({ step, students: done });
    if (performance.now() - reportedAt >= reportEveryMs) flush();
    return true;
  };
  const fail = (of: Request["type"], error: unknown) => {
    flush();
    const message = error instanceof Error ? error.message : String(error);
    place.emit({ type: "refused", of, message });
  };

  async function configure(settings: Settings): Promise<void> {
    await release();
    rows = [];
    step = 0;
    lastFrame = -1;
    setState("empty");
    const losses =
      settings.ownLoss === undefined ? [] : await lossesOf(settings.ownLoss, place.importText);
    const configs = [settings.config, ...(settings.second ? [configOf(settings, 1)] : [])].map(
      (config) => parsed(config, losses),
    );
    const text = textOf(settings);
    const { line, backend } = await useEngine((configs[0] as RunConfig).backend);
    for (const config of configs) {
      students.push(
        await makeStudent(config, {
          text,
          ownLosses: losses,
          teacherModel: await teacherOf(config),
          startFolder: startOf(config),
        }),
      );
    }
    steps = (configs[0] as RunConfig).trainer.steps;
    const [first] = students as [TrainedStudent];
    place.emit({
      type: "built",
      run: {
        ...{ backend: line, backendName: backend, notes: first.notes, steps },
        vocabSize: first.tokenizer.vocabSize,
        teacherParameters: first.teacherParameters,
        students: students.map(({ model, terms }) => ({ parameters: model.numParameters, terms })),
      },
    });
    await show();
    setState("paused");
  }

  async function teacherOf({ teacher }: RunConfig): Promise<LoadedModel | undefined> {
    if (teacher === undefined || (teacher.type ?? "model") !== "model") return undefined;
    const { from } = teacher as { from: string };
    if (from !== teacherPath) {
      throw new PupilError("is not here.", {
        ...{ field: "teacher.from", value: from, remedy: `This page has ${teacherPath}.` },
      });
    }
    teacherModel ??= await loadModel(place.teacherFolder);
    return teacherModel;
  }

  function startOf({ student: { from } }: RunConfig): FolderFiles | undefined {
    if (from === undefined) return undefined;
    if (from === studentPath && startFolder !== undefined) return startFolder;
    throw new PupilError("is not here.", {
      ...{ field: "student.from", value: from, remedy: "Load the zip of a student first." },
    });
  }

  /** Trains until something else is wanted. */
  async function run(): Promise<void> {
    const every = Math.max(1, Math.round(steps / framesOfRun));
    runs += 1;
    const thisRun = runs;
    // Paused and started again between two steps, there would be two of these.
    while (state === "running" && thisRun === runs) {
      try {
        await inTurn(async () => {
          if (state !== "running" || thisRun !== runs) return;
          const goesOn = step < steps && (await advance());
          if (!goesOn || step >= steps) {
            await show();
            flush();
            setState("finished");
          } else if (step % every === 0) await show();
        });
      } catch (error) {
        fail("run", error);
        setState("failed");
      }
      await place.breathe();
    }
  }

  const handlers: { [R in Request as R["type"]]: (request: R) => Promise<void> } = {
    // Said to who makes sessions.
    open: () => Promise.resolve(),
    async configure({ settings }) {
      // What runs ends here; "paused" is said again when the new students are there.
      setState("empty");
      await inTurn(() => configure(settings));
    },
    run() {
      if (state === "paused") {
        setState("running");
        void run();
      }
      return Promise.resolve();
    },
    async pause() {
      if (state !== "running") return;
      setState("paused");
      await inTurn(async () => {
        flush();
        await show();
      });
    },
    async step() {
      await inTurn(async () => {
        if (state !== "paused" || step >= steps) return;
        await advance();
        await show();
        flush();
        if (step >= steps) setState("finished");
      });
    },
    async write({ student, prompt, greedy }) {
      await inTurn(async () => {
        const text = await studentAt(student).write(prompt, greedy);
        place.emit({ type: "written", text, prompt });
      });
    },
    async export({ student }) {
      await inTurn(async () => {
        const { model, tokenizer } = studentAt(student);
        const zip = await zipModel(model, tokenizer, { folder: studentPath });
        const bytes = new Uint8Array(await zip.arrayBuffer());
        place.emit({ type: "exported", name: `${studentPath}.zip`, bytes }, [bytes.buffer]);
      });
    },
    async load({ name, bytes }) {
      await inTurn(async () => {
        await useEngine(engine?.choice ?? "auto");
        const files = await zipFolder(new Blob([bytes]), { name });
        // Made once here, so that what is wrong with it is said now.
        const { model } = await loadModel(files);
        const parameters = model.numParameters;
        model.dispose();
        startFolder = files;
        place.emit({ type: "loaded", name, parameters });
      });
    },
    async check({ source }) {
      await inTurn(async () => {
        await useEngine(engine?.choice ?? "cpu");
        const outcome = await checkLosses(source, place.importText);
        place.emit({ type: "checked", outcome });
      });
    },
    text({ settings }) {
      const bytes = new TextEncoder().encode(textOf(settings)) as Uint8Array<ArrayBuffer>;
      place.emit({ type: "exported", name: textPath, bytes }, [bytes.buffer]);
      return Promise.resolve();
    },
    adopt({ text, settings }) {
      place.emit({ type: "adopted", ...adopted(text, settings) });
      return Promise.resolve();
    },
  };

  const studentAt = (index: number): TrainedStudent => {
    const student = students[index];
    if (student !== undefined) return student;
    throw new PupilError("There is no such student yet.", { field: "student", value: index });
  };

  return {
    async handle(request) {
      try {
        await (handlers[request.type] as (request: Request) => Promise<void>)(request);
      } catch (error) {
        fail(request.type, error);
        if (request.type === "configure" || request.type === "step") setState("failed");
      }
    },
    async [Symbol.asyncDispose]() {
      setState("empty");
      await inTurn(async () => {
        await release();
        teacherModel?.model.dispose();
        teacherModel = undefined;
      });
    },
  };
}

const sumOf = ({ students }: StepRow, value: (one: StudentStep) => number) =>
  students.reduce((sum, one) => sum + value(one), 0);

/** The text that settings name or carry; empty where they need none. */
export function textOf({ text }: Settings): string {
  if (text === undefined) return "";
  if ("own" in text) return text.own;
  const sample = Object.hasOwn(samples, text.sample) ? samples[text.sample] : undefined;
  if (sample !== undefined) return sample();
  throw new PupilError(`there is no such text.`, {
    ...{ field: "text", value: text.sample, remedy: `Here: ${Object.keys(samples).join(", ")}.` },
  });
}

type Losses = Awaited<ReturnType<typeof lossesOf>>;

/** A config with its defaults, held to what runs here. */
function parsed(config: JsonObject, losses: Losses): RunConfig {
  const { losses: modules, ...rest } = config;
  const paths = modules === undefined ? [] : (modules as readonly Json[]);
  const unknown = paths.find((path) => path !== ownLossPath);
  if (unknown !== undefined) {
    throw new PupilError("is not here.", {
      ...{ field: "losses", value: unknown, remedy: "Paste its text into the editor." },
    });
  }
  return parseConfig(runConfigSchemaWith({ losses }), rest, "config");
}

/**
 * A config file that somebody pasted, in place of the one that the page has.
 *
 * @throws PupilError for what is no run config
 */
export function adopted(
  text: string,
  { text: ownText, ownLoss }: Settings,
): { settings: Settings; notes: string[] } {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    throw new PupilError(`This is no JSON: ${(error as Error).message}`, { field: "config" });
  }
  if (!isObject(json)) throw new PupilError("is no object.", { field: "config" });
  const notes: string[] = [];
  const { versions: _versions, ...given } = json;
  let config: JsonObject = given;
  for (const path of ["data.path", "teacher.path"]) {
    const value = valueAt(config, path);
    if (typeof value !== "string" || value === textPath) continue;
    notes.push(`${path}: ${value} is not here. Its text is what stands in the field below "Data".`);
    config = withValue(config, path, textPath) as JsonObject;
  }
  const trainer = valueAt(config, "trainer.type");
  if (trainer === "sft") {
    notes.push('trainer.type "sft" is here "distill" with rows of the data alone.');
    config = withValue(config, "trainer.type", "distill") as JsonObject;
    config = withValue(config, "trainer.onPolicyFraction", 0) as JsonObject;
    if (valueAt(config, "trainer.loss") === undefined) {
      config = withValue(config, "trainer.loss", [{ type: "cross-entropy" }]) as JsonObject;
    }
  }
  if (valueAt(config, "teacher") === undefined) {
    notes.push("It has no teacher: here the student before training is one, to be compared with.");
    config = withValue(config, "teacher", { type: "self", emaDecay: 1 }) as JsonObject;
  }
  const needsText = valueAt(config, "data.type") === "text" || valueAt(config, "teacher.path");
  return {
    settings: {
      config,
      ...(needsText && { text: ownText ?? { sample: "verse" } }),
      ...(config["losses"] !== undefined && ownLoss !== undefined && { ownLoss }),
    },
    notes,
  };
}
