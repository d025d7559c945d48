import { describe, expect, test } from "vitest";
import { describeAdapter, isSoftwareAdapter } from "../../../src/backend/software-adapter.js";
import { adapterInfo } from "./fake-platform.js";

describe("isSoftwareAdapter", () => {
  test.each([
    adapterInfo({ vendor: "google", architecture: "swiftshader" }),
    adapterInfo({ vendor: "mesa", description: "llvmpipe (LLVM 15.0.6, 256 bits)" }),
    adapterInfo({ vendor: "microsoft", description: "Microsoft Basic Render Driver" }),
    adapterInfo({ vendor: "microsoft", architecture: "warp" }),
    adapterInfo({ vendor: "unknown", isFallbackAdapter: true }),
  ])("knows $vendor $architecture $description", (info) => {
    expect(isSoftwareAdapter(info)).toBe(true);
  });

  test.each([
    adapterInfo({ vendor: "nvidia", architecture: "hopper", description: "NVIDIA: 535.104.05" }),
    adapterInfo({ vendor: "apple", architecture: "common-3" }),
    adapterInfo({ vendor: "intel", description: "Intel open-source Mesa driver" }),
    adapterInfo({ vendor: "amd", description: "Warpath 9000" }),
    adapterInfo({}),
  ])("takes $vendor $architecture $description for hardware", (info) => {
    expect(isSoftwareAdapter(info)).toBe(false);
  });
});

test("describeAdapter names what is known", () => {
  const full = adapterInfo({ vendor: "nvidia", architecture: "hopper", description: "535.104" });
  expect(describeAdapter(full)).toBe("nvidia hopper (535.104)");
  expect(describeAdapter(adapterInfo({ vendor: "apple", architecture: "m2" }))).toBe("apple m2");
  expect(describeAdapter(adapterInfo({}))).toBe("unnamed GPU");
});
