/**
 * Faults that a run must survive: `npm run faults -- [part …] [--short]`. Exits with 1 if anything went
 * wrong. See docs/reliability.md.
 */
import { faultDisk } from "./disk.js";
import { faultKills } from "./kills.js";
import { faultServers } from "./servers.js";

const words = process.argv.slice(2);
const isShort = words.includes("--short");
const seed = Number(words.find((word) => word.startsWith("--seed="))?.slice(7) ?? 1);
const report = (line: string) => void process.stdout.write(`${line}\n`);

/** One line each. */
const parts: Record<string, () => Promise<{ readonly cases: number; readonly wrong: number }>> = {
  disk: () => faultDisk({ every: isShort ? 61 : 1, report }),
  kills: () => faultKills({ count: isShort ? 3 : 100, seed, report }),
  servers: async () => {
    const { wrong, hangs, leaks, cases } = await faultServers({
      ...{ count: isShort ? 250 : 10_000, seed, report },
    });
    return { cases, wrong: wrong + hangs + leaks };
  },
};

const named = words.filter((word) => !word.startsWith("--"));
const unknown = named.filter((name) => parts[name] === undefined);
if (unknown.length > 0) {
  throw new Error(`No part ${unknown.join(", ")}: there are ${Object.keys(parts).join(", ")}.`);
}
for (const name of named.length > 0 ? named : Object.keys(parts)) {
  const startMs = performance.now();
  const { wrong, ...counts } = await (parts[name] as (typeof parts)[string])();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  report(`${name}: ${JSON.stringify({ ...counts, wrong })} in ${seconds} s`);
  if (wrong > 0) process.exitCode = 1;
}
