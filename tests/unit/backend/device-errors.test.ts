import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { deviceFailure, DeviceWatch } from "../../../src/backend/webgpu/device-errors.js";
import { destroyBuffer, makeBuffer } from "../../../src/backend/webgpu/device-memory.js";
import { HostArena } from "../../../src/backend/webgpu/host-arena.js";
import type { RecordingHost } from "../../../src/backend/webgpu/replay/host.js";
import { Recording } from "../../../src/backend/webgpu/replay/recording.js";
import { DeviceError } from "../../../src/errors/index.js";

class GPUOutOfMemoryError {
  readonly message = "vkAllocateMemory failed";
}
class GPUValidationError {
  readonly message = "[Invalid Buffer] is invalid.\nMore.";
}
type Fault = GPUOutOfMemoryError | GPUValidationError;

/** A device that gives buffers, of which the scope around each says what is given here. */
function fakeDevice(scope: () => Promise<Fault | null> = async () => null) {
  const events = new EventTarget();
  let lose: (info: object) => void = () => {};
  const device = Object.assign(events, {
    lost: new Promise((resolve) => (lose = resolve)),
    pushErrorScope() {},
    createBuffer: (descriptor: object) => ({ ...descriptor, destroy() {} }),
    queue: { writeBuffer() {} },
    popErrorScope: scope,
  }) as unknown as GPUDevice;
  const report = (error: Fault) =>
    events.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
  return { device, watch: new DeviceWatch(device), report, lose: (info: object) => lose(info) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));
const descriptor = { size: 3 * 2 ** 20, usage: 0 };
afterEach(() => {
  vi.unstubAllGlobals();
});

test("memory that ends is an error with what was asked for and beside what", async () => {
  let isFull = false;
  const { device, watch } = fakeDevice(async () => (isFull ? new GPUOutOfMemoryError() : null));
  const sizes = [2, 5, 4].map((mebibytes) => mebibytes * 2 ** 20);
  const [first, , last] = sizes.map((size) => makeBuffer(device, { size, usage: 0 }));
  for (const buffer of [first, last]) destroyBuffer(device, buffer as GPUBuffer);
  isFull = true;
  expect(makeBuffer(device, descriptor)).toMatchObject(descriptor);
  expect(() => watch.check()).not.toThrow();
  await turn();
  expect(() => watch.check()).toThrow(DeviceError);
  expect(deviceFailure(device)?.message).toMatch(
    /^The GPU has no memory left: a buffer of 3 MiB \(3,145,728 bytes\) was asked for beside 5 MiB that pupil has\. .*trainer\.batchSize/,
  );
});

test("so is memory that ends for what the host gives, and for what is to be replayed", async () => {
  vi.stubGlobal("GPUBufferUsage", { UNIFORM: 64, COPY_SRC: 4, COPY_DST: 8 });
  const failureOf = async (make: (device: GPUDevice) => object) => {
    const { device } = fakeDevice(async () => new GPUOutOfMemoryError());
    make(device);
    await turn();
    return deviceFailure(device)?.message;
  };
  const arena = (device: GPUDevice) => new HostArena(device, { usage: 0, alignment: 256 });
  expect(await failureOf(arena)).toMatch(/a buffer of 1 MiB \(1,048,576 bytes\) was asked for/);
  const to = {} as GPUBuffer;
  const uniforms = new Uint8Array(300);
  const groups = [1, 1, 1];
  const dispatch = { ...{ kind: "dispatch", bindings: [], uniforms, groups } };
  const commands = [{ kind: "upload", to, bytes: 16 }, dispatch, dispatch];
  const recording = (device: GPUDevice) => {
    const host = { device: Object.assign(device, { createBindGroup: () => ({}) }) };
    return new Recording(host as unknown as RecordingHost, {
      ...{ commands: commands as never, reads: [], taken: new Set(), constants: [], outputs: [] },
      facts: undefined,
    });
  };
  expect(await failureOf(recording)).toMatch(/a buffer of 1 KiB \(1,024 bytes\) was asked for/);
});

test("no buffer is made elsewhere", () => {
  const source = fileURLToPath(new URL("../../../src", import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  const makes = files.filter(
    (path) =>
      path.endsWith(".ts") && readFileSync(join(source, path), "utf8").includes(".createBuffer("),
  );
  expect(makes).toEqual([join("backend", "webgpu", "device-memory.ts")]);
});

test("commands that are refused because there was no memory are explained by that", async () => {
  const { device, watch, report } = fakeDevice(async () => new GPUOutOfMemoryError());
  makeBuffer(device, descriptor);
  report(new GPUValidationError());
  expect(() => watch.check()).toThrow(/^WebGPU refused a command/);
  const explained = (await watch.explain(new Error("refused"))) as Error;
  expect(explained.message).toMatch(/^The GPU has no memory left: a buffer of 3 MiB/);
  report(new GPUValidationError());
  expect(() => watch.check()).toThrow(/^The GPU has no memory left: a buffer/);
});

test("memory that ends elsewhere is said without its size", () => {
  const { watch, report } = fakeDevice();
  report(new GPUOutOfMemoryError());
  expect(() => watch.check()).toThrow(/^The GPU has no memory left\. What was computed since/);
});

test("a refused command is the first line of what the driver says, and stays the first thing that went wrong", async () => {
  const { device, watch, report, lose } = fakeDevice();
  makeBuffer(device, descriptor);
  await turn();
  expect(deviceFailure(device)).toBeUndefined();
  report(new GPUValidationError());
  lose({ reason: "unknown", message: "" });
  await turn();
  expect(() => watch.check()).toThrow(
    /^WebGPU refused a command, so what was computed last is wrong: \[Invalid Buffer\] is invalid\. This/,
  );
});

test("a device that is lost while it is asked for memory is lost", async () => {
  const { device, watch, lose } = fakeDevice(() => Promise.reject(new Error("lost")));
  makeBuffer(device, descriptor);
  lose({ reason: "unknown", message: "hung\nsee log" });
  await turn();
  expect(() => watch.check()).toThrow(
    /^The GPU device was lost: its driver gave it up \(hung\)\. What was on it is gone\. .*resume=/,
  );
});
