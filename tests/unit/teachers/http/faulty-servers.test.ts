/** A few hundred of the faulty servers of scripts/faults/servers.ts; the long form is in docs/reliability.md. */
import { expect, test } from "vitest";
import { faultServers } from "../../../../scripts/faults/servers.js";

test("servers that misbehave in every way we know of", { timeout: 120_000 }, async () => {
  const lines: string[] = [];
  const figures = await faultServers({
    ...{ count: 250, seed: 7 },
    report: (line) => lines.push(line),
  });
  expect(figures, lines.join("\n")).toEqual({ cases: 250, wrong: 0, hangs: 0, leaks: 0 });
});
