import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const resolve = createRequire(import.meta.url).resolve;
const onnxruntime = dirname(resolve("onnxruntime-node/script/install.js"));

test("a clone's npm ci fetches nothing for the ONNX runtime", () => {
  const { ONNXRUNTIME_NODE_INSTALL: _, ...env } = process.env;
  const { status, stderr, stdout } = spawnSync(process.execPath, ["install.js"], {
    cwd: onnxruntime,
    env,
    encoding: "utf8",
    timeout: 30_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("npm has nothing to say about the clone's settings", () => {
  const { stderr } = spawnSync("npm", ["config", "get", "fund"], { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
});
