import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askQuietly, vulkanProblem } from "../../../src/node/vulkan.js";

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

describe("what only writes to the terminal", () => {
  const names = ["NODEVICE_SELECT", "VK_LOADER_DRIVERS_DISABLE", "DRI_PRIME"] as const;
  beforeEach(() => {
    for (const name of names) vi.stubEnv(name, undefined);
  });
  afterEach(() => vi.unstubAllEnvs());

  const settings = () => names.map((name) => process.env[name]);
  const asked = (isHardware: boolean) => askQuietly(() => Promise.resolve(settings()), isHardware);

  test("is left out only while an adapter is asked for", async () => {
    expect(await asked(true)).toEqual(["1", "lvp_icd*", undefined]);
    expect(settings()).toEqual([undefined, undefined, undefined]);
    const refused = askQuietly(() => Promise.reject(new Error("no")), true);
    await expect(refused).rejects.toThrow("no");
    expect(settings()).toEqual([undefined, undefined, undefined]);
  });

  test("is not the driver in software where that will do", async () => {
    expect(await asked(false)).toEqual(["1", undefined, undefined]);
  });

  test("is not what a user has named", async () => {
    vi.stubEnv("VK_LOADER_DRIVERS_DISABLE", "*radeon*");
    vi.stubEnv("DRI_PRIME", "1");
    expect(await asked(true)).toEqual([undefined, "*radeon*", "1"]);
    expect(settings()).toEqual([undefined, "*radeon*", "1"]);
  });
});
