/// <reference lib="webworker" />
import { startInBrowser, urlFolder } from "pupil/browser";
import type { Request } from "./protocol.js";
import { makeSession, type Session } from "./session.js";

const scope = globalThis as unknown as DedicatedWorkerGlobalScope;

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

function sessionOf(page: string): Session {
  // For tests: WebGPU as a program on the CPU, which nobody would choose.
  const allowSoftwareAdapter = new URL(page).searchParams.get("software") === "1";
  return makeSession({
    emit: (report, transfer = []) => scope.postMessage(report, [...transfer]),
    async startEngine(choice) {
      const { line, backend } = await startInBrowser({ backend: choice, allowSoftwareAdapter });
      return { line, backend };
    },
    teacherFolder: urlFolder(new URL("teacher/", page)),
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
}

let session: Session | undefined;
scope.onmessage = ({ data }: MessageEvent<Request>) => {
  // The first message says where the page is, which the teacher's folder is below.
  if (data.type === "open") session = sessionOf(data.page);
  else void session?.handle(data);
};
