import { DeviceError } from "../../errors/index.js";

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

/** What went wrong on the device without anyone waiting for it. */
export function uncapturedError(error: GPUError): DeviceError {
  const { name } = error.constructor;
  if (name === "GPUOutOfMemoryError") {
    return new DeviceError("The GPU has no memory left, so what was computed last is wrong.", {
      remedy: `Use a smaller trainer.batchSize, more trainer.gradientAccumulationSteps or shorter sequences. ${startAgain}`,
      cause: error,
    });
  }
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

/**
 * The first thing that went wrong with a device. After it nothing that is read from the device can be trusted, so every
 * read throws it.
 */
export class DeviceWatch {
  private failure: DeviceError | undefined;
  private readonly device: GPUDevice;

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then((info) => {
      this.failure ??= lostDevice(info);
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.failure ??= uncapturedError(event.error);
    });
  }

  /** @throws DeviceError if something went wrong */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** What a read failed with, in words: the device's loss, if that is why. */
  async explain(error: unknown): Promise<unknown> {
    const soon = new Promise((resolve) => setTimeout(resolve, 100));
    await Promise.race([this.device.lost, soon]);
    return this.failure ?? error;
  }
}
