import { type BackendChoice, PupilError, type RunConfig } from "pupil";
import { type FolderFiles, zipModel } from "pupil/browser";
import { parseConfig, runConfigSchemaWith } from "pupil/config";
import { adopted } from "./adopt.js";
import { errorMessage } from "./error-message.js";
import { makeModelFolders } from "./model-folders.js";
import { type ImportText, checkLosses, lossesOf } from "./own-loss.js";
import type { Frame, Report, Request, RunState, StepRow, StudentStep } from "./protocol.js";
import { samples } from "./samples.js";
import {
  configOf,
  type Json,
  type JsonObject,
  ownLossPath,
  type Settings,
  studentPath,
  textPath,
} from "./settings.js";
import { makeStudent, type TrainedStudent, trainerOf } from "./student.js";
import { requirePageTeacher } from "./teachers.js";

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
  const folders = makeModelFolders(place.teacherFolder);
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
    folders.release();
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
    place.emit({ type: "refused", of, message: errorMessage(error) });
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
          teacherModel: await folders.teacherOf(config),
          startFolder: folders.startOf(config),
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
    async load({ as, name, files, again }) {
      await inTurn(async () => {
        await useEngine(engine?.choice ?? "auto");
        const facts = await folders.load(as, name, files);
        place.emit({ type: "loaded", as, name, ...facts, ...(again && { again }) });
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
      const taken = adopted(text, settings);
      // What is wrong with it is said before anything is replaced by it; a loss of one's own is not run for that.
      if (taken.settings.config["losses"] === undefined) {
        const config = parsed(taken.settings.config, []);
        trainerOf(config);
        requirePageTeacher(config);
      }
      place.emit({ type: "adopted", ...taken });
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
      place.emit({ type: "handled" });
    },
    async [Symbol.asyncDispose]() {
      setState("empty");
      await inTurn(async () => {
        await release();
        folders.release();
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
