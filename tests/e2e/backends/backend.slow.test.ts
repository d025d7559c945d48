import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { backendChoices } from "../../../src/backend/index.js";
import { softwareVulkan } from "../../setup/backends/software-vulkan.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { runCli } from "../cli/cli-process.js";

const child = fileURLToPath(new URL("./backend-child.ts", import.meta.url));

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stderr: string;
  /** What the program printed, parsed. */
  readonly output: Record<string, unknown>;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const command = ["--import", "tsx", child, ...args];
    execFile(process.execPath, command, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code ?? error.signal);
      resolve({ code, stderr, output: stdout === "" ? {} : JSON.parse(stdout) });
    });
  });
}

/** The gradient that the program prints, on every backend. */
const values = [4 * 40 * 30];

describe("startBackend in a Node process", () => {
  test("auto computes on what it finds, prints nothing of its own and ends", async () => {
    const { code, stderr, output } = await run(["auto", "hardware-only", "natural"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(backendChoices).toContain(output["backend"]);
    expect(output).toMatchObject({ values, numTensors: 0 });
  });

  test("cpu prints no advice", async () => {
    const { code, stderr, output } = await run(["cpu", "hardware-only", "natural"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(output).toMatchObject({ backend: "cpu", values });
  });
});

test("doctor keeps what Dawn writes from the terminal, unless it is asked for", async (context) => {
  const quiet = await runCli(["doctor"], temporaryFolder());
  expect(quiet).toMatchObject({ code: 0, stderr: "" });
  if (!quiet.stdout.includes("no libvulkan.so.1")) context.skip("this machine has Vulkan");
  const asked = await runCli(["doctor", "--verbose"], temporaryFolder());
  expect(asked.code).toBe(0);
  expect(asked.stderr).toContain("Vulkan");
});

describe.skipIf(softwareVulkan === undefined)(
  "WebGPU through Dawn on a software adapter (needs Chromium's vk_swiftshader_icd.json)",
  () => {
    test("computes and ends by itself", async () => {
      const ended = await run(["auto", "allow-software", "natural"], softwareVulkan);
      expect(ended.stderr).toBe("");
      expect(ended.code).toBe(0);
      expect(ended.output).toMatchObject({ backend: "webgpu", values, numTensors: 0 });
      expect(ended.output["device"]).toContain("swiftshader");
    });

    test("does not crash when the process exits with work under way", async () => {
      for (let repeat = 0; repeat < 3; repeat++) {
        const ended = await run(["webgpu", "allow-software", "exit"], softwareVulkan);
        expect(ended).toMatchObject({ code: 0, stderr: "" });
      }
    });

    test("does not hide an error that ends the process", async () => {
      const ended = await run(["webgpu", "allow-software", "throw"], softwareVulkan);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain("the training failed");
    });

    test("is refused unless allowed", async () => {
      const ended = await run(["webgpu", "hardware-only", "natural"], softwareVulkan);
      expect(ended).toMatchObject({ code: 2, stderr: "" });
      expect(ended.output["message"]).toContain("the only adapter is a software one");
    });
  },
);
