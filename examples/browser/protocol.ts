import type { LoadProgress } from "pupil/browser";

/** What the page can choose; its address may too: `?backend=wasm&threads=2&sft=300&more=100&seed=1`. */
export interface TrainingChoice {
  readonly backend: "auto" | "webgpu" | "wasm";
  /** Threads of the CPU engine; undefined: as many as there are cores. */
  readonly threads: number | undefined;
  /** Steps on given completions. */
  readonly sft: number;
  /** On-policy steps after them. */
  readonly more: number;
  readonly seed: number;
  /** Address of the teacher's folder: a worker's own is another than the page's. */
  readonly teacher: string;
  /** Takes a WebGPU adapter that is a program on the CPU: `?software=1`, for tests. */
  readonly software: boolean;
}

/** From the page to its worker. */
export type Order =
  | { readonly type: "train"; readonly choice: TrainingChoice }
  | { readonly type: "pause"; readonly on: boolean; readonly reason: "hidden" | "button" }
  | { readonly type: "stop" }
  | { readonly type: "zip" }
  | { readonly type: "keep"; readonly name: string }
  | { readonly type: "list" }
  | { readonly type: "remove"; readonly name: string }
  | { readonly type: "open"; readonly from: { readonly zip: Blob } | { readonly stored: string } };

/** What a model wrote about a problem that it was not trained on. */
export interface Sample {
  readonly text: string;
  readonly ids: readonly number[];
  readonly correct: boolean;
}

/** From the worker to its page. */
export type Report =
  | { readonly type: "loading"; readonly progress: LoadProgress }
  | { readonly type: "started"; readonly line: string; readonly notes: readonly string[] }
  | {
      readonly type: "step";
      readonly phase: string;
      readonly step: number;
      readonly of: number;
      readonly loss: number;
      /** Loss tokens per second of this step. */
      readonly speed: number;
    }
  | { readonly type: "samples"; readonly of: string; readonly samples: readonly Sample[] }
  | { readonly type: "paused"; readonly on: boolean }
  | { readonly type: "zip"; readonly zip: Blob }
  | { readonly type: "stored"; readonly models: readonly { name: string; bytes: number }[] }
  | { readonly type: "finished"; readonly stopped: boolean }
  | { readonly type: "failed"; readonly message: string };
