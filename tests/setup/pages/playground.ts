import type { Report, Request } from "../../../playground/src/training/protocol.js";
import { makeSession } from "../../../playground/src/training/session.js";
import { teacherPath } from "../../../playground/src/training/settings.js";
import { diskFolder } from "../../../src/node/files/disk-folder.js";

/** A session as the worker of the playground has it, on the backend of the tests. */
export function testSession() {
  const reports: Report[] = [];
  const session = makeSession({
    emit: (report) => reports.push(report),
    startEngine: () => Promise.resolve({ line: "tests", backend: "cpu" }),
    teacherFolder: diskFolder(teacherPath),
    importText: async (source) =>
      (await import(
        /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
      )) as object,
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
