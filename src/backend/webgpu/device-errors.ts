import { DeviceError } from "../../errors/index.js";
import { sizeInWords } from "./sizes.js";

const startAgain =
  "Start the process again; a run goes on from its last checkpoint with resume=<its folder>.";

/** The device is gone: the driver was reset or updated, the GPU was removed or hung, or someone destroyed it. */
export function lostDevice({ reason, message }: Pick<GPUDeviceLostInfo, "reason" | "message">) {
  const why = reason === "destroyed" ? "it was destroyed" : "its driver gave it up";
  const detail = message.trim() === "" ? "" : ` (${firstLine(message)})`;
  return new DeviceError(`The GPU device was lost: ${why}${detail}. What was on it is gone.`, {
    remedy: startAgain,
  });
}

/** What a buffer was asked for with. */
interface Asked {
  readonly bytes: number;
  /** Of the buffers that there are already. */
  readonly bytesBefore: number;
}

/** The device has no memory left, for a buffer if it is known which. */
class OutOfMemory extends DeviceError {
  constructor(cause: GPUError, asked?: Asked) {
    const what = asked
      ? `: a buffer of ${sizeInWords(asked.bytes)} (${asked.bytes.toLocaleString("en-US")} bytes) was asked for beside ` +
        `${sizeInWords(asked.bytesBefore)} that pupil has`
      : "";
    super(`The GPU has no memory left${what}. What was computed since then is wrong.`, {
      remedy: `Use a smaller trainer.batchSize, more trainer.gradientAccumulationSteps (smaller micro-batches) or shorter sequences. ${startAgain}`,
      cause,
    });
  }
}

/** What went wrong on the device without anyone waiting for it. */
export function uncapturedError(error: GPUError): DeviceError {
  const { name } = error.constructor;
  if (name === "GPUOutOfMemoryError") return new OutOfMemory(error);
  const what =
    name === "GPUValidationError" ? "WebGPU refused a command" : "The GPU's driver failed";
  return new DeviceError(
    `${what}, so what was computed last is wrong: ${firstLine(error.message)}`,
    {
      remedy: `This is a mistake of pupil's or of the driver: please report it with the output of pupil doctor --verbose. ${startAgain}`,
      cause: error,
    },
  );
}

const firstLine = (text: string) => text.trim().split("\n")[0] as string;

const watches = new WeakMap<GPUDevice, DeviceWatch>();

/** What went wrong with a device, if anything did: it is of no use any more. */
export function deviceFailure(device: GPUDevice): DeviceError | undefined {
  return watches.get(device)?.failure;
}

/** Notes that there was no memory for a buffer: every later read of the device says so. */
export function noteOutOfMemory(device: GPUDevice, error: GPUError, asked: Asked): void {
  watches.get(device)?.fail(new OutOfMemory(error, asked));
}

/**
 * The first thing that went wrong with a device. After it nothing that is read from the device can be trusted, so every
 * read throws it.
 */
export class DeviceWatch {
  failure: DeviceError | undefined;
  private readonly device: GPUDevice;

  constructor(device: GPUDevice) {
    this.device = device;
    watches.set(device, this);
    void device.lost.then((info) => this.fail(lostDevice(info)));
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.fail(uncapturedError(event.error));
    });
  }

  /** Notes what went wrong. Commands on a buffer that there was no memory for are refused, and may be so before that is known. */
  fail(error: DeviceError): void {
    const explainsMore = error instanceof OutOfMemory && !(this.failure instanceof OutOfMemory);
    if (this.failure === undefined || explainsMore) this.failure = error;
  }

  /** @throws DeviceError if something went wrong */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** What a read failed with, in words: that the device is lost or has no memory left, if that is why. */
  async explain(error: unknown): Promise<unknown> {
    if (this.failure instanceof OutOfMemory) return this.failure;
    const soon = new Promise((resolve) => setTimeout(resolve, 100));
    await Promise.race([this.device.lost, soon]);
    return this.failure ?? error;
  }
}
