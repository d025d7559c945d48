import { expect, test } from "vitest";
import { faultOf } from "../../../scripts/fuzz/run-input.js";
import { type Fault, runJobs } from "../../../scripts/fuzz/supervise.js";
import { bytesOf, type FuzzTarget } from "../../../scripts/fuzz/target.js";
import { targets } from "../../../scripts/fuzz/targets/index.js";

/** Short form of `npm run fuzz`; see docs/reliability.md for the long ones. */
test("every reader takes mutated inputs or refuses them by name", {
  timeout: 180_000,
}, async () => {
  const faults: Fault[] = [];
  const jobs = targets.map(({ name }) => ({ target: name, first: 0, end: 40 }));
  expect(jobs.length).toBeGreaterThan(30);
  await runJobs(jobs, 1, (fault) => faults.push(fault));
  expect(faults).toEqual([]);
});

test("a reader that does worse is noticed", async () => {
  const target = (read: FuzzTarget["read"]): FuzzTarget => ({
    name: "planted",
    shapes: {},
    seeds: () => [],
    read,
  });
  const faultIn = (read: FuzzTarget["read"]) => faultOf(target(read), { file: bytesOf("[]") });
  expect(await faultIn(() => ({ rows: [1, 2] }))).toBeUndefined();
  expect(await faultIn(() => ({ rows: [1, Number.NaN] }))).toBe("NaN in the result at .rows.1");
  expect(await faultIn(() => [undefined])).toBe("undefined in the result at .0");
  expect(await faultIn(() => decodeURI("%"))).toMatch(/^wrong error: URIError/);
});
