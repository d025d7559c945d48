/// <reference lib="webworker" />
import { startBackend, webPlatform } from "pupil";
import teacherConfig from "../../../examples/quickstart/teacher/config.json";
import teacherWeights from "../../../examples/quickstart/teacher/model.safetensors?url";
import teacherTokenizer from "../../../examples/quickstart/teacher/tokenizer.json";
import teacherTokenizerConfig from "../../../examples/quickstart/teacher/tokenizer_config.json";
import type { Request } from "./protocol.js";
import { makeSession } from "./session.js";

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

const session = makeSession({
  emit: (report, transfer = []) => scope.postMessage(report, [...transfer]),
  async startEngine(choice) {
    const { line, backend } = await startBackend(choice, { platform: webPlatform() });
    return { line, backend };
  },
  async loadTeacher() {
    const response = await fetch(teacherWeights);
    if (!response.ok) throw new Error(`The teacher cannot be loaded: ${response.status}.`);
    return {
      "config.json": teacherConfig,
      "tokenizer.json": teacherTokenizer,
      "tokenizer_config.json": teacherTokenizerConfig,
      "model.safetensors": new Uint8Array(await response.arrayBuffer()),
    };
  },
  async importText(source) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      return (await import(/* @vite-ignore */ url)) as object;
    } finally {
      URL.revokeObjectURL(url);
    }
  },
  // Not setTimeout, which waits four milliseconds when it is asked again and again.
  breathe: () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    }),
});

scope.onmessage = ({ data }: MessageEvent<Request>) => void session.handle(data);
scope.postMessage({ type: "started" });
