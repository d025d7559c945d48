/** Prints what PyTorch's side of bench/gpu.sh needs to know of sizes: `tsx bench/gpu/sizes.ts small,base`. */
import { modelConfigSchema } from "../../src/models/index.js";
import { oneOf } from "../../src/errors/index.js";
import { gpuSizeNames, gpuSizes, type GpuSizeName } from "./report.js";

const names = (process.argv[2] ?? "small").split(",") as GpuSizeName[];
const unknown = names.find((name) => !gpuSizeNames.includes(name));
if (unknown !== undefined) {
  console.error(`bench/gpu.sh: there is no size "${unknown}". ${oneOf(unknown, gpuSizeNames)}`);
  process.exit(1);
}
const entries = names.map((name) => {
  const { model, batchSize, sequenceLength } = gpuSizes[name];
  return [name, { options: modelConfigSchema.parse(model), batchSize, sequenceLength }];
});
process.stdout.write(JSON.stringify(Object.fromEntries(entries)));
