import { readFileSync } from "node:fs";
import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { kubernetesFields } from "../../../../src/node/executors/files/fields.js";
import {
  kubernetesFile,
  kubernetesJob,
  skypilotFile,
  type TaskArray,
} from "../../../../src/node/executors/files/kubernetes.js";
import { toYaml } from "../../../../src/node/executors/files/yaml.js";

/** Schemas of the tools themselves; their files say where they are from. */
const schema = (name: string) =>
  JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), "utf8")) as object;

function problemsOf(name: string, value: unknown): unknown {
  // Formats that only say how wide an integer is.
  const ajv = new Ajv({ unknownFormats: "ignore", logger: false });
  return ajv.validate(schema(name), value) === true ? [] : ajv.errors;
}

const array: TaskArray = {
  ...{ name: "KL direction", wave: 1, tasks: 12, cwd: "/work folder" },
  command: ["node", "/pupil/run-task.js", "/work folder/$(x).json"],
};
const full = kubernetesFields.parse({
  ...{ namespace: "ml", queue: "students", memory: "4Gi", gpus: 1, cpus: 2, throttle: 5 },
  ...{ cellsPerTask: 3, retries: 1 },
});

describe.each([
  ["the fewest fields", kubernetesFields.parse({})],
  ["all fields", full],
])("files with %s", (_what, fields) => {
  test("are an indexed Job by the schema of Kubernetes", () => {
    const job = parse(kubernetesFile(array, fields)) as object;
    expect(problemsOf("kubernetes-job", job)).toEqual([]);
    expect(job).toEqual(kubernetesJob(array, fields));
  });

  test("are a task by the schema of SkyPilot", () => {
    const task = parse(skypilotFile(array, fields)) as { run: string };
    expect(problemsOf("skypilot-task", task)).toEqual([]);
    expect(task.run).toBe(
      "cd '/work folder'\nexec node /pupil/run-task.js '/work folder/$(x).json' \"$PUPIL_TASK\"\n",
    );
  });
});

test("the schemas refuse what is wrong", () => {
  const job = kubernetesJob(array, full) as { spec: Record<string, unknown> };
  const wrong = { ...job, spec: { ...job.spec, completionsMode: "Indexed" } };
  expect(problemsOf("kubernetes-job", wrong)).not.toEqual([]);
  const task = parse(skypilotFile(array, full)) as object;
  expect(problemsOf("skypilot-task", { ...task, runs: "x" })).not.toEqual([]);
});

test("a Job has an index for each task, Kueue's label, and no variable but the index", () => {
  expect(kubernetesJob(array, full)).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^pupil-kl-direction-1-[0-9a-f]{6}$/),
      labels: { "kueue.x-k8s.io/queue-name": "students" },
    },
    spec: {
      ...{ completionMode: "Indexed", completions: 12, parallelism: 5, suspend: true },
      template: {
        spec: {
          containers: [
            {
              command: [
                ...["node", "/pupil/run-task.js", "/work folder/$$(x).json"],
                "$(JOB_COMPLETION_INDEX)",
              ],
              resources: { limits: { cpu: "2", memory: "4Gi", "nvidia.com/gpu": "1" } },
            },
          ],
        },
      },
    },
  });
});

test("YAML reads back as what was written, whatever the strings look like", () => {
  const value = {
    plain: "text",
    words: [
      "yes",
      "No",
      "null",
      "~",
      "1e3",
      "0x10",
      "1:30",
      "- a",
      "a: b",
      "#",
      "",
      " x",
      "it's",
      '"',
    ],
    block: "first\n  second\n\nlast\n",
    inner: { list: [{ a: 1, b: [true, []] }, [["x"]], {}], none: {} },
    "odd key: 1": -0.5,
  };
  expect(parse(toYaml(value))).toEqual(value);
});
