import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { platformName } from "../../../scripts/compile/native-compiler.mjs";
import { repository } from "../cli/cli-process.js";

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
      await execute("node", ["scripts/compile/build-wasm.mjs"], packing);
      const to = ["--ignore-scripts", "--pack-destination", folder];
      await execute("npm", ["pack", ...to], packing);
      const [packed] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
      await run("npm", "install", "--prefer-offline", "--ignore-scripts", `./${packed}`);
    }, 600_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

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

    test("is not compiled where a binary that it brings loads", async (context) => {
      const addon = join(repository, "native/build/pupil.node");
      if (!existsSync(addon)) context.skip("there is no compiler here");
      const root = join(folder, "node_modules/pupil");
      const prebuilt = join(root, `prebuilds/${platformName()}.node`);
      mkdirSync(dirname(prebuilt), { recursive: true });
      cpSync(addon, prebuilt);
      await run("node", join(root, "scripts/compile/build-native.mjs"));
      expect(existsSync(join(root, "native/build"))).toBe(false);
      const { stdout } = await pupil("doctor");
      expect(stdout).not.toContain("WebAssembly");
      rmSync(dirname(prebuilt), { recursive: true });
    });

    test("has whatever its pages refer to", () => {
      const root = join(folder, "node_modules/pupil");
      const all = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
      const pages = ["README.md", "CHANGELOG.md", ...all.map((name) => join("docs", name))];
      const broken = pages
        .filter((page) => page.endsWith(".md"))
        .flatMap((page) => {
          const text = readFileSync(join(root, page), "utf8");
          const links = [...text.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map(
            ([, to]) => to as string,
          );
          return links
            .filter((to) => !/^(https?|mailto):/.test(to))
            .filter((to) => !existsSync(join(root, dirname(page), to)))
            .map((to) => `${page}: ${to}`);
        });
      expect(pages.length).toBeGreaterThan(20);
      expect(broken).toEqual([]);
    });

    test("runs the example of docs/library.md", { timeout: 120_000 }, async () => {
      // Called .mts: the package.json that npm writes into an empty folder says nothing of modules.
      cpSync(join(repository, "examples/library-example.ts"), join(folder, "example.mts"));
      // What it says without types is what a reader copies into example.mjs.
      const tsc = join(repository, "node_modules/typescript/bin/tsc");
      const strict = ["--strict", "--target", "es2022", "--skipLibCheck", "--types", "node"];
      const types = ["--typeRoots", join(repository, "node_modules/@types")];
      await run("node", tsc, ...strict, ...types, "--module", "nodenext", "example.mts");
      const { stdout } = await run("node", "example.mjs");
      expect(stdout).toMatch(/student, step 100: reverse KL \d+\.\d\d\n$/);
    });

    test("runs the loops of docs/extending/loop.md under the names that it says", async () => {
      const tsx = join(repository, "node_modules/tsx/dist/cli.mjs");
      for (const name of ["trainer", "teacher"]) {
        cpSync(join(repository, `examples/own-loop/${name}.ts`), join(folder, `${name}.mts`));
        const { stdout } = await run("node", tsx, `${name}.mts`, "2");
        expect(stdout).toMatch(/step 2 {2}saved /);
      }
    }, 120_000);

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
