import { expect, test } from "vitest";
import {
  deviceFailure,
  DeviceWatch,
  makeBuffer,
} from "../../../src/backend/webgpu/device-errors.js";
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
    createBuffer: (descriptor: object) => descriptor,
    popErrorScope: scope,
  }) as unknown as GPUDevice;
  const report = (error: Fault) =>
    events.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
  return { device, watch: new DeviceWatch(device), report, lose: (info: object) => lose(info) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));
const descriptor = { size: 3 * 2 ** 20, usage: 0 };

test("memory that ends is an error with what was asked for and beside what", async () => {
  const { device, watch } = fakeDevice(async () => new GPUOutOfMemoryError());
  expect(makeBuffer(device, descriptor, 5 * 2 ** 20)).toBe(descriptor);
  expect(() => watch.check()).not.toThrow();
  await turn();
  expect(() => watch.check()).toThrow(DeviceError);
  expect(deviceFailure(device)?.message).toMatch(
    /^The GPU has no memory left: a buffer of 3 MiB \(3,145,728 bytes\) was asked for beside 5 MiB that pupil has\. .*trainer\.batchSize/,
  );
});

test("commands that are refused because there was no memory are explained by that", async () => {
  const { device, watch, report } = fakeDevice(async () => new GPUOutOfMemoryError());
  makeBuffer(device, descriptor, 0);
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
  makeBuffer(device, descriptor, 0);
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
  makeBuffer(device, descriptor, 0);
  lose({ reason: "unknown", message: "hung\nsee log" });
  await turn();
  expect(() => watch.check()).toThrow(
    /^The GPU device was lost: its driver gave it up \(hung\)\. What was on it is gone\. .*resume=/,
  );
});
