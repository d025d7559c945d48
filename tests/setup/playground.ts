import { readFileSync } from "node:fs";
import type { Report, Request } from "../../playground/src/training/protocol.js";
import { makeSession } from "../../playground/src/training/session.js";
import { teacherPath } from "../../playground/src/training/settings.js";

/** A session as the worker of the playground has it, on the backend of the tests. */
export function testSession() {
  const reports: Report[] = [];
  const read = (file: string) => readFileSync(`${teacherPath}/${file}`);
  const json = (file: string): unknown => JSON.parse(read(file).toString());
  const session = makeSession({
    emit: (report) => reports.push(report),
    startEngine: () => Promise.resolve({ line: "tests", backend: "cpu" }),
    loadTeacher: () =>
      Promise.resolve({
        "config.json": json("config.json"),
        "tokenizer.json": json("tokenizer.json"),
        "tokenizer_config.json": json("tokenizer_config.json"),
        "model.safetensors": new Uint8Array(read("model.safetensors")),
      }),
    importText: async (source) =>
      (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`)) as object,
    breathe: () => new Promise((resolve) => setTimeout(resolve)),
  });
  /** All reports of a kind. */
  const of = <T extends Report["type"]>(type: T) =>
    reports.filter((report): report is Extract<Report, { type: T }> => report.type === type);
  return {
    session,
    reports,
    of,
    rows: () => of("rows").flatMap(({ rows }) => rows),
    /** Handles requests, and fails where one is refused. */
    async ask(...requests: readonly Request[]) {
      for (const request of requests) {
        const before = of("refused").length;
        await session.handle(request);
        const refusal = of("refused")[before];
        if (refusal !== undefined) throw new Error(refusal.message);
      }
    },
  };
}
