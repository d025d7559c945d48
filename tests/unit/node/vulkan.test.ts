import { afterEach, describe, expect, test } from "vitest";
import { vulkanProblem, withoutSoftwareGpus } from "../../../src/node/vulkan.js";

const nvidia = "/usr/share/vulkan/icd.d/nvidia_icd.json";
const lavapipe = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
const parts = { hasLoader: true, named: [], installed: [nvidia, lavapipe], hasGpuDevice: true };

describe.skipIf(process.platform !== "linux")("what of Vulkan is missing on Linux", () => {
  test.each([
    ["nothing, with a GPU and its driver", parts, false, undefined],
    [
      "nothing, with a driver that is named",
      { ...parts, named: [lavapipe], hasGpuDevice: false },
      false,
      undefined,
    ],
    [
      "nothing, if software will do",
      { ...parts, installed: [lavapipe], hasGpuDevice: false },
      true,
      undefined,
    ],
    ["the loader", { ...parts, hasLoader: false }, true, /no libvulkan\.so\.1/],
    ["any driver", { ...parts, installed: [] }, true, /no Vulkan driver is installed/],
    ["a GPU", { ...parts, hasGpuDevice: false }, false, /there is no GPU/],
    ["a driver of the GPU", { ...parts, installed: [lavapipe] }, false, /computes in software/],
  ])("%s", (_, given, allowSoftware, reason) => {
    const problem = vulkanProblem(given, allowSoftware);
    if (reason === undefined) expect(problem).toBeUndefined();
    else expect(problem?.reason).toMatch(reason);
  });
});

describe("the driver in software that is left out", () => {
  const name = "VK_LOADER_DRIVERS_DISABLE";
  const before = process.env[name];
  afterEach(() => {
    delete process.env[name];
    if (before !== undefined) process.env[name] = before;
  });

  const asked = () => withoutSoftwareGpus(() => Promise.resolve(process.env[name]));

  test("is left out only while an adapter is asked for", async () => {
    delete process.env[name];
    expect(await asked()).toBe("lvp_icd*");
    expect(process.env[name]).toBeUndefined();
    await expect(withoutSoftwareGpus(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(process.env[name]).toBeUndefined();
  });

  test("is not what a user has named", async () => {
    process.env[name] = "*radeon*";
    expect(await asked()).toBe("*radeon*");
    expect(process.env[name]).toBe("*radeon*");
  });
});
