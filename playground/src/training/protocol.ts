import type { ChosenFile } from "pupil/browser";
import type { Settings } from "./settings.js";

/** What the page asks of the worker. */
export type Request =
  /** The first thing that is said to a worker: the address of the page. */
  | { readonly type: "open"; readonly page: string }
  /** Makes everything anew; nothing trains until it is told to. */
  | { readonly type: "configure"; readonly settings: Settings }
  | { readonly type: "run" }
  | { readonly type: "pause" }
  /** One optimizer step of every student. */
  | { readonly type: "step" }
  /** Has a student go on with a text. */
  | {
      readonly type: "write";
      readonly student: number;
      readonly prompt: string;
      readonly greedy: boolean;
    }
  /** A student as a zip of a Hugging Face folder. */
  | { readonly type: "export"; readonly student: number }
  /** Reads a Hugging Face folder, or its zip: settings can then begin with it, or learn from it. */
  | {
      readonly type: "load";
      readonly as: ModelRole;
      readonly name: string;
      readonly files: readonly ChosenFile[];
      /** For a worker that is begun anew: the settings stay. */
      readonly again?: true;
    }
  /** Holds losses to the checks of `pupil check-losses`. */
  | { readonly type: "check"; readonly source: string }
  /** The text that settings name, as a file. */
  | { readonly type: "text"; readonly settings: Settings }
  /** A config file that somebody pasted, as settings of this page. */
  | { readonly type: "adopt"; readonly text: string; readonly settings: Settings };

/** What the worker tells the page. */
export type Report =
  | { readonly type: "built"; readonly run: RunFacts }
  | { readonly type: "rows"; readonly rows: readonly StepRow[]; readonly tokensPerSecond: number }
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "state"; readonly state: RunState }
  | { readonly type: "written"; readonly text: string; readonly prompt: string }
  /** A file to be saved. */
  | { readonly type: "exported"; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({
      readonly type: "loaded";
      readonly as: ModelRole;
      readonly name: string;
      readonly again?: true;
    } & LoadedFacts)
  | { readonly type: "checked"; readonly outcome: CheckedLosses }
  | { readonly type: "adopted"; readonly settings: Settings; readonly notes: readonly string[] }
  /** What was asked for is done, or refused. */
  | { readonly type: "handled" }
  /** What was asked for cannot be done; `of` says what it was. */
  | { readonly type: "refused"; readonly of: Request["type"]; readonly message: string };

export type ModelRole = "student" | "teacher";

/** What a model that was loaded can be used for. */
export interface LoadedFacts {
  readonly parameters: number;
  readonly vocabSize: number;
  /** Tasks of which its tokenizer knows all characters. */
  readonly tasks: readonly string[];
  /** Whether it knows those of English text. */
  readonly readsText: boolean;
}

export type RunState = "empty" | "paused" | "running" | "finished" | "failed";

/** What is known of a run before its first step. */
export interface RunFacts {
  /** `Computing with wasm on …` */
  readonly backend: string;
  readonly backendName: string;
  readonly notes: readonly string[];
  readonly steps: number;
  readonly vocabSize: number;
  readonly students: readonly StudentFacts[];
  readonly teacherParameters: number | undefined;
}

export interface StudentFacts {
  readonly parameters: number;
  /** Of the terms of its loss, in their order. */
  readonly terms: readonly string[];
}

/** One optimizer step of every student. */
export interface StepRow {
  readonly step: number;
  readonly students: readonly StudentStep[];
}

/** Nats per learned token, but for the last three. */
export interface StudentStep {
  readonly loss: number;
  /** KL(teacher ‖ student) on the tokens of the step. */
  readonly forwardKl: number | undefined;
  /** KL(student ‖ teacher), likewise. */
  readonly reverseKl: number | undefined;
  readonly studentEntropy: number | undefined;
  readonly teacherEntropy: number | undefined;
  readonly gradNorm: number;
  readonly tokens: number;
  readonly elapsedMs: number;
}

/** How things stood after a step. */
export interface Frame {
  readonly step: number;
  readonly students: readonly StudentFrame[];
}

export interface StudentFrame {
  readonly texts: readonly SeenText[];
  /** For a teacher with two planted modes. */
  readonly ring?: RingPicture;
  /** Why there are no pushes, where there are none. */
  readonly pushNote?: string;
}

/** A completion, token by token. */
export interface SeenText {
  /** Who wrote it: the student now, or the data. */
  readonly by: "student" | "data";
  readonly prompt: string;
  readonly tokens: readonly SeenToken[];
  /** Whether the task's judge takes it for right. */
  readonly correct?: boolean;
}

export interface SeenToken {
  readonly text: string;
  /** KL(teacher ‖ student) in nats. */
  readonly forwardKl: number;
  /** KL(student ‖ teacher) in nats. */
  readonly reverseKl: number;
  readonly studentEntropy: number;
  readonly teacherEntropy: number;
  /** log T(y) − log S(y) of the token that stands there. */
  readonly advantage: number;
  /** The tokens that either model thinks likeliest, by the larger of both probabilities. */
  readonly likely: readonly LikelyToken[];
}

export interface LikelyToken {
  readonly text: string;
  readonly teacher: number;
  readonly student: number;
  /** −∂ loss / ∂ logit of this token's own loss: above 0 where a step makes it likelier. */
  readonly push?: number;
}

/** Where a student and its teacher put the next id on the ring, by steps from the previous id. */
export interface RingPicture {
  readonly offsets: readonly [number, number];
  /** `[V]`: the teacher, the same after every id. */
  readonly teacher: readonly number[];
  /** `[V]`: the student, mean over the previous ids. */
  readonly student: readonly number[];
  /** `[V · V]`: the student after each previous id. */
  readonly rows: readonly number[];
  /** Share of the student's probability near the first mode, near the second, and elsewhere; means over the previous ids. */
  readonly masses: { readonly first: number; readonly second: number; readonly outside: number };
  /** The same of the teacher. */
  readonly teacherMasses: {
    readonly first: number;
    readonly second: number;
    readonly outside: number;
  };
}

/** What the checks found. */
export interface CheckedLosses {
  readonly source: string;
  readonly losses: readonly {
    readonly name: string;
    readonly summary: string;
    readonly checks: readonly CheckLine[];
  }[];
  readonly failed: number;
  readonly total: number;
}

export interface CheckLine {
  readonly config: string;
  readonly check: string;
  readonly problems: readonly string[];
  readonly error: number;
}
