import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { EngineAwayError } from "../../../../src/node/executors/executor.js";
import { rayFields } from "../../../../src/node/executors/ray/fields.js";
import { rayExecutor, rayState } from "../../../../src/node/executors/ray/ray.js";
import { type AskRay, rayHttp } from "../../../../src/node/executors/ray/ray-http.js";
import { zip, zipFolder } from "../../../../src/node/executors/ray/zip.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let server: Server | undefined;
afterEach(
  () => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())),
);

/** A dashboard with jobs in memory, which refuses browsers and duplicates as Ray does. */
async function dashboard() {
  const asked: Asked[] = [];
  const jobs = new Map<string, { status: string; body: Record<string, unknown> }>();
  const packages = new Map<string, Buffer>();
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      const { method = "", url: path = "", headers } = request;
      asked.push({ method, path, headers, body });
      const [status, answer] = answerOf(method, path, headers, body);
      response.writeHead(status).end(answer);
    });
  });
  const answerOf = (
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): [number, string] => {
    if (method !== "GET" && "sec-fetch-mode" in headers) return [405, "browser traffic"];
    const file = /^\/api\/packages\/gcs\/(.*)$/.exec(path)?.[1];
    if (file !== undefined) {
      if (method === "PUT") packages.set(file, body);
      return packages.has(file) ? [200, ""] : [404, "no such package"];
    }
    if (method === "POST" && path === "/api/jobs/") {
      const job = JSON.parse(body.toString()) as { submission_id: string };
      if (jobs.has(job.submission_id)) return [500, "Traceback\nValueError: already exists"];
      if (job.submission_id.includes("early")) {
        return [500, "No available agent to submit job, please try again later."];
      }
      if (job.submission_id.includes("bad")) return [400, "entrypoint_num_cpus must be positive"];
      jobs.set(job.submission_id, { status: "RUNNING", body: job as never });
      return [200, JSON.stringify({ submission_id: job.submission_id })];
    }
    const [, id = "", what] = /^\/api\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const job = jobs.get(id);
    if (job === undefined) return [404, "Job does not exist"];
    if (what === "logs") return [200, JSON.stringify({ logs: `log of ${id}` })];
    if (what === "stop") job.status = "STOPPED";
    return [200, JSON.stringify({ status: job.status, message: "", driver_exit_code: 0 })];
  };
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, asked, jobs, packages };
}

const place = (folder: string) => ({
  jobs: folder,
  cwd: "/here",
  taskCommand: ["node", "task.js"],
});
const options = { key: "pupil-k", again: false, exclude: [] };
const cells = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `c${i}`, command: ["run", `${i}`], folder: "f" }));

describe("Ray's jobs", () => {
  test("get an entrypoint with its resources, and the same submission twice is one job", async () => {
    const { address, asked, jobs } = await dashboard();
    const folder = temporaryFolder();
    const fields = rayFields.parse({ cpus: 2, gpus: 0.5, cellsPerTask: 2 });
    const ray = await rayExecutor(fields, place(folder), rayHttp({ RAY_ADDRESS: address }));
    const names = await ray.submit(cells(3), options);
    expect(names).toEqual(["pupil-k-0", "pupil-k-0", "pupil-k-1"]);
    expect(jobs.get("pupil-k-1")?.body).toMatchObject({
      entrypoint: `cd /here && exec node task.js ${folder}/batches/pupil-k.json 1`,
      ...{ entrypoint_num_cpus: 2, entrypoint_num_gpus: 0.5 },
      runtime_env: { env_vars: { PUPIL_THREADS: "2" } },
    });
    expect(await ray.submit(cells(3), { ...options, again: true })).toEqual(names);
    expect(jobs.size).toBe(2);
    for (const { headers } of asked) expect(Object.keys(headers).join()).not.toMatch(/sec-fetch/);

    const done = jobs.get("pupil-k-0") as { status: string };
    done.status = "SUCCEEDED";
    const states = await ray.states(["pupil-k-0", "pupil-k-1", "pupil-other-0"]);
    expect([...states.values()].map(({ type }) => type)).toEqual(["ended", "running", "lost"]);
    await ray.cancel(["pupil-k-1", "pupil-other-0"]);
    expect((await ray.states(["pupil-k-1"])).get("pupil-k-1")?.type).toBe("cancelled");
    expect(await ray.logs("pupil-k-1")).toBe("log of pupil-k-1");
    expect(await ray.logs("pupil-other-0")).toBe("");
  });

  test("run in a working folder that is uploaded once", async () => {
    const { address, asked, jobs, packages } = await dashboard();
    const work = temporaryFolder();
    writeFileSync(join(work, "data.txt"), "some data");
    const ask = rayHttp({ RAY_ADDRESS: address });
    const fields = rayFields.parse({ workingDir: work, results: "logs" });
    for (const key of ["pupil-a", "pupil-b"]) {
      const ray = await rayExecutor(fields, place(temporaryFolder()), ask);
      await ray.submit(cells(1), { ...options, key });
    }
    const [name = ""] = [...packages.keys()];
    expect(packages.size).toBe(1);
    expect(asked.filter(({ method }) => method === "PUT")).toHaveLength(1);
    expect(jobs.get("pupil-a-0")?.body).toMatchObject({
      entrypoint: "exec run 0",
      runtime_env: { working_dir: `gcs://${name}` },
    });
  });

  test("that it refuses are told in its words; a head that is not there is away", async () => {
    const { address } = await dashboard();
    const ask = rayHttp({ RAY_ADDRESS: address });
    const ray = await rayExecutor(rayFields.parse({}), place(temporaryFolder()), ask);
    await expect(ray.submit(cells(1), { ...options, key: "bad" })).rejects.toThrow(
      /Ray answered 400 to a job: entrypoint_num_cpus must be positive/,
    );
    await expect(ray.submit(cells(1), { ...options, key: "early" })).rejects.toThrow(
      EngineAwayError,
    );
    const ending: AskRay = () =>
      Promise.resolve({
        status: 500,
        text: "500 Internal Server Error\n\nServer got itself in trouble",
      });
    const restarted = await rayExecutor(rayFields.parse({}), place("x"), ending);
    await expect(restarted.states(["a"])).rejects.toThrow(EngineAwayError);
    const closed = rayHttp({ RAY_ADDRESS: "http://127.0.0.1:9" });
    await expect(closed("GET", "/api/version")).rejects.toThrow(EngineAwayError);
  });

  test.each([
    [{ status: "PENDING", message: "waiting for CPUs" }, { type: "waiting" }],
    [
      { status: "RUNNING", driver_node_id: "n" },
      { type: "running", node: "n" },
    ],
    [{ status: "SUCCEEDED" }, { type: "ended" }],
    [{ status: "STOPPED" }, { type: "cancelled" }],
    [{ status: "FAILED", driver_exit_code: 1 }, { type: "failed" }],
    [{ status: "FAILED", message: "the head node restarted" }, { type: "lost" }],
  ])("%j are %j", (job, state) => {
    expect(rayState(job)).toMatchObject(state);
  });
});

describe("where Ray is", () => {
  test.each([
    [undefined, /executor: the environment has no RAY_ADDRESS/],
    ["auto", /RAY_ADDRESS: is not the address of a dashboard/],
    ["ray://head:10001", /such as http:\/\/127\.0\.0\.1:8265/],
  ])("RAY_ADDRESS=%s is refused", (address, message) => {
    expect(() => rayHttp({ RAY_ADDRESS: address })).toThrow(message);
  });

  test("is told with the headers and the token of the environment", async () => {
    const { address, asked } = await dashboard();
    const env = {
      RAY_ADDRESS: `${address}/`,
      RAY_AUTH_TOKEN: "t",
      RAY_JOB_HEADERS: '{"x-own":"1"}',
    };
    await rayHttp(env)("GET", "/api/jobs/none");
    expect(asked[0]?.headers).toMatchObject({ authorization: "Bearer t", "x-own": "1" });
    expect(asked[0]?.path).toBe("/api/jobs/none");
    expect(() => rayHttp({ ...env, RAY_JOB_HEADERS: "x" })).toThrow(/RAY_JOB_HEADERS: is not JSON/);
  });

  test("results in logs are of one cell a job", async () => {
    const fields = rayFields.parse({ results: "logs", cellsPerTask: 2 });
    const ask = rayHttp({ RAY_ADDRESS: "http://127.0.0.1:9" });
    await expect(rayExecutor(fields, place("x"), ask)).rejects.toThrow(
      /ray\.cellsPerTask: results/,
    );
  });
});

describe("an archive", () => {
  test("has the files of a folder, without .git, the same bytes each time", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "a/b"), { recursive: true });
    mkdirSync(join(folder, ".git"));
    writeFileSync(join(folder, "a/b/ü.txt"), "text ".repeat(100));
    writeFileSync(join(folder, "empty"), "");
    writeFileSync(join(folder, ".git/config"), "secret");
    const archive = await zipFolder(folder);
    expect(await zipFolder(folder)).toEqual(archive);
    expect([...entriesOf(archive)]).toEqual([
      ["a/b/ü.txt", "text ".repeat(100)],
      ["empty", ""],
    ]);
    // CRC-32 of "123456789", the check value of its catalogue.
    expect(zip([{ name: "n", content: Buffer.from("123456789") }]).readUInt32LE(14)).toBe(
      0xcbf43926,
    );
  });

  test("of a folder that is not there is an error", async () => {
    await expect(zipFolder("/no/such")).rejects.toThrow(/ray\.workingDir: there is no such folder/);
  });
});

/** Names and contents by the central directory. */
function entriesOf(archive: Buffer): Map<string, string> {
  const end = archive.length - 22;
  expect(archive.readUInt32LE(end)).toBe(0x06054b50);
  const found = new Map<string, string>();
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < archive.readUInt16LE(end + 10); i++) {
    expect(archive.readUInt32LE(at)).toBe(0x02014b50);
    const packed = archive.readUInt32LE(at + 20);
    const length = archive.readUInt16LE(at + 28);
    const name = archive.toString("utf8", at + 46, at + 46 + length);
    const local = archive.readUInt32LE(at + 42);
    const start = local + 30 + archive.readUInt16LE(local + 26);
    found.set(name, inflateRawSync(archive.subarray(start, start + packed)).toString());
    at += 46 + length;
  }
  return found;
}

test("no client of Ray's uses fetch: it would be refused as a browser", () => {
  for (const file of ["ray.ts", "ray-http.ts"]) {
    const text = readFileSync(
      new URL(`../../../../src/node/executors/ray/${file}`, import.meta.url),
      "utf8",
    );
    expect(text).not.toMatch(/\bfetch\(/);
  }
});
