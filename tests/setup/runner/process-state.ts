import * as tf from "@tensorflow/tfjs-core";

/** Those of a page by which code knows that it is in one; a `navigator` that has WebGPU alone is a backend's, kept while it runs. */
const ofPages = ["window", "document", "location", "navigator", "self"];

/** Set once and for good: by libvips and the ONNX runtime as they load, by us before TensorFlow's library. */
const setOnce = [
  "VIPSHOME",
  "ORT_DISABLE_TELEMETRY",
  "TF_CPP_MIN_LOG_LEVEL",
  "TF_ENABLE_ONEDNN_OPTS",
];

/** What a test file must leave as it was, for the files that come after it in the same process. */
export interface ProcessState {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How many listen, by signal. */
  readonly listeners: Readonly<Record<string, number>>;
  readonly functions: ReadonlyMap<string, unknown>;
}

export function processState(): ProcessState {
  // Descriptors: to read a global makes Node load what is behind it.
  const globals = Object.entries(Object.getOwnPropertyDescriptors(globalThis));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const variables = Object.entries(process.env).filter(([name]) => !setOnce.includes(name));
  return {
    folder: process.cwd(),
    environment: Object.fromEntries(variables),
    listeners: Object.fromEntries(signals.map((name) => [name, process.listenerCount(name)])),
    functions: new Map(
      globals
        .filter(([name, { value }]) => typeof value === "function" || ofPages.includes(name))
        .filter(([name, { value }]) => name !== "navigator" || !isForWebGpu(value))
        .map(([name, { value }]) => [name, value as unknown]),
    ),
  };
}

/** Whether it is what WebGPU has been put on in Node, for as long as the process runs. */
function isForWebGpu(navigator: unknown): boolean {
  return typeof navigator === "object" && navigator !== null && "gpu" in navigator;
}

/** What differs now, in words: a variable of the environment, a global such as the clock of fake timers. */
export function changesSince(before: ProcessState): string[] {
  const now = processState();
  const changedKeys = (a: object, b: object) =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
      (key) => (a as Record<string, unknown>)[key] !== (b as Record<string, unknown>)[key],
    );
  const globals = [...before.functions]
    .filter(([name, value]) => now.functions.get(name) !== value)
    .map(([name]) => name);
  const added = ofPages.filter((name) => now.functions.has(name) && !before.functions.has(name));
  return [
    ...(now.folder === before.folder ? [] : [`the working folder is ${now.folder}`]),
    ...changedKeys(before.environment, now.environment).map((name) => `process.env.${name}`),
    ...changedKeys(before.listeners, now.listeners).map((name) => `listeners of ${name}`),
    ...[...globals, ...added].map((name) => `globalThis.${name}`),
  ];
}

/** Ends an engine of an earlier file: `startBackend` would go on with it, whatever its executor and threads. */
export function forgetEngine(): void {
  if (tf.findBackendFactory("wasm") !== null) tf.removeBackend("wasm");
}
