/** Names of rasterizers that run WebGPU on the CPU. */
const softwareNames =
  /swiftshader|llvmpipe|lavapipe|softpipe|software rasterizer|basic render|\bwarp\b/i;

/**
 * Whether a WebGPU adapter is a program on the CPU: slower than the wasm backend and meant for
 * tests. Older implementations have no `isFallbackAdapter`, and not every rasterizer sets it.
 */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const names = [info.vendor, info.architecture, info.device, info.description];
  return info.isFallbackAdapter === true || softwareNames.test(names.join(" "));
}

/** The adapter in words: `nvidia hopper (NVIDIA: 535.104.05)`. */
export function describeAdapter(info: GPUAdapterInfo): string {
  const name = [info.vendor, info.architecture].filter(Boolean).join(" ");
  const detail = info.description || info.device;
  if (!name) return detail || "unnamed GPU";
  return detail ? `${name} (${detail})` : name;
}
