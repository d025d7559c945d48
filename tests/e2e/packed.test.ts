import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "./cli-process.js";

const isSkipped = process.env["PUPIL_SLOW_TESTS"] !== "1";
const execute = promisify(execFile);

describe.skipIf(isSkipped)(
  "the packed package, installed in an empty folder (needs PUPIL_SLOW_TESTS=1)",
  () => {
    let folder: string;
    const run = (command: string, ...args: string[]) => execute(command, args, { cwd: folder });
    const pupil = (...args: string[]) => run("npx", "--no-install", "pupil", ...args);

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "pupil-packed-"));
      const packing = { cwd: repository };
      await execute("npx", ["tsc", "-p", "tsconfig.build.json"], packing);
      await execute("node", ["scripts/build-wasm.mjs"], packing);
      const to = ["--ignore-scripts", "--pack-destination", folder];
      await execute("npm", ["pack", ...to], packing);
      const [packed] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
      writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
      await run("npm", "install", "--prefer-offline", "--ignore-scripts", `./${packed}`);
    }, 600_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test("has none of what only some need", () => {
      const installed = [".", "@tensorflow", "@huggingface", "@xenova"].flatMap((scope) => {
        const path = join(folder, "node_modules", scope);
        return existsSync(path) ? readdirSync(path) : [];
      });
      for (const name of ["tfjs", "onnxruntime-node", "onnxruntime-web", "webgpu", "hub"]) {
        expect(installed).not.toContain(name);
      }
      expect(installed).toContain("tfjs-core");
    });

    test("runs the library example of the README", { timeout: 120_000 }, async () => {
      cpSync(join(repository, "examples/library-example.ts"), join(folder, "example.ts"));
      // What it says without types is what a reader copies into example.mjs.
      const tsc = join(repository, "node_modules/typescript/bin/tsc");
      const strict = ["--strict", "--target", "es2022", "--skipLibCheck", "--types", "node"];
      const types = ["--typeRoots", join(repository, "node_modules/@types")];
      await run("node", tsc, ...strict, ...types, "--module", "nodenext", "example.ts");
      const { stdout } = await run("node", "example.js");
      expect(stdout).toMatch(/student, step 100: reverse KL \d+\.\d\d\n$/);
    });

    test("trains a starter, and says what an ONNX teacher and the Hub need", async () => {
      await pupil("init", "text");
      const { stdout } = await pupil("train", "text.jsonc", "trainer.steps=2", "evaluation.rows=2");
      expect(stdout).toContain("saved runs/text/checkpoints/step-2");
      await pupil("init", "on-policy");
      const onnx = pupil("train", "on-policy.jsonc", 'teacher={"type":"onnx","from":"."}');
      await expect(onnx).rejects.toThrow(
        /needs the package @xenova\/transformers.*Run: .*npm install/,
      );
      const hub = pupil("data", "text.jsonc", 'data={"type":"hub","dataset":"a/b"}');
      await expect(hub).rejects.toThrow(
        /needs the package @huggingface\/hub.*npm install @huggingface\/hub/,
      );
    }, 120_000);
  },
);
