import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BackendChoice, startBackend } from "../../../src/backend/index.js";
import { PupilError } from "../../../src/errors/index.js";
import { useCpu } from "../../setup/backends/backend.js";
import { adapterInfo, fakePlatform, platformWithAdapter } from "./fake-platform.js";

beforeEach(useCpu);
afterEach(useCpu);

async function failure(attempt: Promise<unknown>): Promise<PupilError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PupilError);
  return error as PupilError;
}

describe("a named backend", () => {
  test.each(["wasm", "cpu"] as const)("%s becomes the current one", async (choice) => {
    const report = await startBackend(choice, { platform: fakePlatform() });
    expect(tf.getBackend()).toBe(choice);
    expect(report).toMatchObject({ backend: choice, threads: 1, rejected: [] });
    expect(report.line).toMatch(
      new RegExp(`^Computing with ${choice} on Test CPU .*, 1 thread\\.$`),
    );
  });

  test("that cannot start is refused with reason and remedy, and nothing else starts", async () => {
    const webgpu = await failure(startBackend("webgpu", { platform: fakePlatform() }));
    expect(webgpu.message).toBe(
      "backend: the webgpu backend cannot start: there is no GPU. Buy one.",
    );
    const tensorflow = await failure(startBackend("tensorflow", { platform: fakePlatform() }));
    expect(tensorflow.message).toContain("npm install @tensorflow/tfjs-node");
    expect(tensorflow).toMatchObject({ field: "backend", value: "tensorflow" });
    expect(tf.getBackend()).toBe("cpu");
  });

  test("that does not exist is refused with the nearest name", async () => {
    const error = await failure(startBackend("webgup" as BackendChoice));
    expect(error.message).toContain('Did you mean "webgpu"?');
  });

  test.each(["webgpu", "wasm"] as const)(
    "without a platform, %s says how to get one in Node",
    async (choice) => {
      const error = await failure(startBackend(choice));
      expect(error.message).toContain("nodePlatform");
    },
  );
});

describe("auto", () => {
  test("takes wasm on a machine without GPU and says why not the better ones", async () => {
    const report = await startBackend("auto", { platform: fakePlatform() });
    expect(report.backend).toBe("wasm");
    expect(report.rejected.map((r) => r.backend)).toEqual(["webgpu", "tensorflow"]);
    expect(report.line).toContain("; not webgpu because there is no GPU, not tensorflow because ");
    expect(report.line.match(/\. |\.$/g)).toEqual(["."]);
  });

  test("refuses a software adapter and gives the GPU entry back", async () => {
    const { platform, released } = platformWithAdapter(
      adapterInfo({ vendor: "google", architecture: "swiftshader" }),
    );
    const report = await startBackend("auto", { platform });
    expect(report.backend).toBe("wasm");
    expect(report.rejected[0]?.reason).toBe(
      "the only adapter is a software one, google swiftshader",
    );
    expect(released()).toBe(1);
  });

  test("refuses it too where the platform takes one for a backend that is named", async () => {
    const info = adapterInfo({ vendor: "google", architecture: "swiftshader" });
    const { platform, released } = platformWithAdapter(info);
    const patient = { ...platform, takesSoftwareGpu: true };
    const report = await startBackend("auto", { platform: patient });
    expect(report.rejected[0]?.reason).toMatch(/^the only adapter is a software one/);
    const named = await failure(startBackend("webgpu", { platform: patient }));
    expect(named.message).toContain("device refused");
    const refused = await failure(
      startBackend("webgpu", { platform: patient, allowSoftwareAdapter: false }),
    );
    expect(refused.message).toContain("PUPIL_SOFTWARE_GPU=1");
    expect(released()).toBe(3);
  });

  test("refuses an adapter with too small a limit, by its name", async () => {
    const { platform, released } = platformWithAdapter(adapterInfo({ vendor: "arm" }), {
      ...{ maxStorageBuffersPerShaderStage: 4, maxComputeInvocationsPerWorkgroup: 128 },
    });
    const report = await startBackend("auto", { platform });
    expect(report.backend).toBe("wasm");
    expect(report.rejected[0]?.reason).toBe(
      "arm has maxStorageBuffersPerShaderStage 4, and 8 is needed",
    );
    expect(released()).toBe(1);
    const error = await failure(startBackend("webgpu", { platform }));
    expect(error.message).toContain('Use another GPU, a newer driver, or the backend "wasm".');
  });

  test("says in one sentence what failed in several", async () => {
    const provideGpu = () => Promise.reject(new Error("The driver broke. Mend it."));
    const { line } = await startBackend("auto", { platform: fakePlatform({ provideGpu }) });
    expect(line).toContain("not webgpu because it failed: The driver broke. Mend it, not tensor");
    expect(line).not.toContain("..");
  });

  test("goes on when a hardware adapter gives no device, with that reason", async () => {
    const { platform, released } = platformWithAdapter(adapterInfo({ vendor: "nvidia" }));
    const report = await startBackend("auto", { platform });
    expect(report.backend).toBe("wasm");
    expect(report.rejected[0]).toMatchObject({ backend: "webgpu" });
    expect(report.rejected[0]?.reason).toContain("device refused");
    expect(released()).toBe(1);
  });
});

describe("tensorflow", () => {
  afterEach(() => {
    if (tf.findBackendFactory("tensorflow") !== null) tf.removeBackend("tensorflow");
  });

  /** Does what the real package does when it is imported. */
  function importsAs(packageName: string, exports: object, isUsingGpuDevice: boolean) {
    return async (name: string) => {
      if (name !== packageName) return undefined;
      const backend = Object.assign(new MathBackendCPU(), { isUsingGpuDevice });
      tf.registerBackend("tensorflow", () => backend, 3);
      await tf.setBackend("tensorflow");
      return exports;
    };
  }
  const sameTfjs = { engine: tf.engine, version_core: tf.version_core };

  test("is taken by its name, on the CPU", async () => {
    const importOptional = importsAs("@tensorflow/tfjs-node", sameTfjs, false);
    const report = await startBackend("tensorflow", { platform: fakePlatform({ importOptional }) });
    expect(report).toMatchObject({ backend: "tensorflow", device: "Test CPU", threads: 4 });
    expect(tf.getBackend()).toBe("tensorflow");
  });

  test("is taken by auto before wasm with a GPU, and reports it", async () => {
    const importOptional = importsAs("@tensorflow/tfjs-node-gpu", sameTfjs, true);
    const report = await startBackend("auto", { platform: fakePlatform({ importOptional }) });
    expect(report).toMatchObject({ backend: "tensorflow", device: "the GPU through CUDA" });
  });

  test("is not taken by auto for a CPU, where wasm is faster", async () => {
    for (const name of ["@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"]) {
      const importOptional = importsAs(name, sameTfjs, false);
      const report = await startBackend("auto", { platform: fakePlatform({ importOptional }) });
      expect(report.backend).toBe("wasm");
      expect(tf.getBackend()).toBe("wasm");
      expect(report.rejected.map(({ backend }) => backend)).toEqual(["webgpu", "tensorflow"]);
      if (tf.findBackendFactory("tensorflow") !== null) tf.removeBackend("tensorflow");
      await tf.setBackend("cpu");
    }
  });

  test("is refused with a tfjs of another version", async () => {
    const other = { ...sameTfjs, version_core: "3.1.0" };
    const importOptional = importsAs("@tensorflow/tfjs-node", other, false);
    const error = await failure(
      startBackend("tensorflow", { platform: fakePlatform({ importOptional }) }),
    );
    expect(error.message).toContain(`(3.1.0, here ${tf.version_core})`);
    expect(error.remedy).toContain(`@tensorflow/tfjs-node@${tf.version_core}`);
    expect(tf.getBackend()).toBe("cpu");
  });

  test("is refused when the package is broken, with its own words", async () => {
    const importOptional = async () => {
      throw new Error("libtensorflow.so.2 is missing");
    };
    const error = await failure(
      startBackend("tensorflow", { platform: fakePlatform({ importOptional }) }),
    );
    expect(error.message).toContain("does not load: libtensorflow.so.2 is missing");
  });
});
