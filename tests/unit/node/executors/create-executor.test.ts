import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../src/config/index.js";
import { checkExecutor, createExecutor } from "../../../../src/node/executors/create-executor.js";
import { executorSchema } from "../../../../src/node/executors/fields.js";

const words = (given: object) => parseConfig(executorSchema, given, "ablate");
const place = { jobs: "jobs", cwd: "/here", taskCommand: ["task"] };

describe("where runs go", () => {
  test("is this machine unless something else is said", async () => {
    expect(checkExecutor(words({}))).toBe("local");
    expect(checkExecutor(words({ processes: 3 }))).toBe("local");
    expect(await createExecutor(words({}), place)).toBeUndefined();
    expect(checkExecutor(words({ executor: "slurm", slurm: { partition: "p" } }))).toBe("slurm");
  });

  test.each<[object, RegExp]>([
    [{ executor: "slrum" }, /executor: there is no such executor\. Did you mean "slurm"\?/],
    [
      { executor: "slurm", ray: { cpus: 1 } },
      /ray: executor=slurm does not know it\. It is of executor=ray\. This one knows: slurm, retries/,
    ],
    [{ executor: "ray", processes: 2 }, /processes: executor=ray does not know it/],
    [{ slurm: {} }, /slurm: executor=local does not know it/],
    [{ retries: 1 }, /It is of executor=slurm and executor=ray/],
  ])("%j is refused", (given, message) => {
    expect(() => checkExecutor(words(given))).toThrow(message);
  });

  test.each<[object, RegExp]>([
    [{ slurm: { partitoin: "x" } }, /slurm\.partitoin is not a field.*partition/],
    [{ slurm: { time: "soon" } }, /slurm\.time/],
    [{ ray: { address: "http://x" } }, /ray\.address is not a field/],
    [{ kubernetes: { cpus: 0 } }, /kubernetes\.cpus/],
  ])("%j is a mistake in a field", (given, message) => {
    expect(() => words(given)).toThrow(message);
  });
});
