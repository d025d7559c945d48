import type * as hub from "@huggingface/hub";
import type * as transformers from "@xenova/transformers";
import { PupilError } from "../errors/index.js";

/** Packages that only some users need: they are installed by those, and loaded on use. */
const optional = {
  "@huggingface/hub": {
    purpose: "Reading from the Hugging Face Hub",
    command: "npm install @huggingface/hub",
  },
  "@xenova/transformers": {
    purpose: "Running an ONNX model",
    // Under this name, from its maintained successor; and without CUDA files from outside the registry.
    command:
      "ONNXRUNTIME_NODE_INSTALL=skip npm install @xenova/transformers@npm:@huggingface/transformers@4",
  },
} as const;

/** transformers.js with its ONNX runtime. @throws PupilError where it is not installed */
export const loadTransformers = (): Promise<typeof transformers> =>
  orInstall("@xenova/transformers", () => import("@xenova/transformers"));

/** The client of the Hugging Face Hub. @throws PupilError where it is not installed */
export const loadHub = (): Promise<typeof hub> =>
  orInstall("@huggingface/hub", () => import("@huggingface/hub"));

/** What `load` imports, or the command that installs it. */
export async function orInstall<T>(
  name: keyof typeof optional,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    const { purpose, command } = optional[name];
    throw new PupilError(`${purpose} needs the package ${name}, which is not installed.`, {
      remedy: `Run: ${command}`,
      cause: error,
    });
  }
}

/** Whether the package itself is missing, not something that it needs. */
export function isMissing(error: unknown, name: string): boolean {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  return code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${name}'`);
}
