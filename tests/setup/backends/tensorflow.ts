import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBackend } from "../../../src/backend/index.js";
import { nodePlatform } from "../../../src/node/platform.js";

const packages = fileURLToPath(new URL("../../../node_modules/@tensorflow", import.meta.url));

/** Whether TensorFlow's C library is here, as `scripts/compile/build-tfjs-node.sh` or the packages' own install leave it. */
export const hasTensorflow = ["tfjs-node-gpu", "tfjs-node"].some((name) =>
  existsSync(join(packages, name, "lib/napi-v8/tfjs_binding.node")),
);

/** Title of a block that is skipped elsewhere. */
export const onTensorflow = "TensorFlow (needs scripts/compile/build-tfjs-node.sh)";

/** TensorFlow as the current backend. Go back with `useCpu` when done. */
export async function useTensorflow(): Promise<void> {
  await startBackend("tensorflow", { platform: nodePlatform });
}
