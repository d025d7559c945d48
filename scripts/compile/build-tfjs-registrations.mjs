/**
 * Bundles TensorFlow.js's gradients and chained methods for Node. The packages have them as modules for
 * bundlers alone, which Node cannot import, and elsewhere only inside of `@tensorflow/tfjs`, ten times as large as
 * what is used of it. Engine and registries are global, so that this copy fills those of the package itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const core = createRequire(import.meta.url).resolve("@tensorflow/tfjs-core/package.json");
const { version } = JSON.parse(readFileSync(core, "utf8"));
const banner = `/*! From @tensorflow/tfjs-core ${version}. Copyright Google LLC. Apache License 2.0. */`;
const outfile = fileURLToPath(new URL("../../build/tfjs-registrations.js", import.meta.url));

if (!existsSync(outfile) || !readFileSync(outfile, "utf8").startsWith(banner)) {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [
      fileURLToPath(new URL("../../src/tensors/tfjs-registrations.ts", import.meta.url)),
    ],
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    minify: true,
    legalComments: "none",
    banner: { js: banner },
    outfile,
  });
}
