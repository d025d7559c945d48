import { noteOutOfMemory } from "./device-errors.js";

/** Of the buffers of each device. */
const bytesOf = new WeakMap<GPUDevice, number>();

const count = (device: GPUDevice, bytes: number) =>
  bytesOf.set(device, (bytesOf.get(device) ?? 0) + bytes);

/**
 * A buffer; if there is no memory for it, every later read of the device says what was asked for and beside how much. Every buffer
 * is made here, or what ends is not said.
 */
export function makeBuffer(device: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
  const asked = { bytes: descriptor.size, bytesBefore: bytesOf.get(device) ?? 0 };
  device.pushErrorScope("out-of-memory");
  const buffer = device.createBuffer(descriptor);
  const noted = device.popErrorScope().then((error) => {
    if (error !== null) noteOutOfMemory(device, error, asked);
  });
  // A lost device answers nothing, and is known to be lost.
  noted.catch(() => {});
  count(device, asked.bytes);
  return buffer;
}

/** Destroys a buffer that was made here. */
export function destroyBuffer(device: GPUDevice, buffer: GPUBuffer): void {
  count(device, -buffer.size);
  buffer.destroy();
}
