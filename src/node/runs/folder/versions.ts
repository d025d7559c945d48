import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Versions that can change a run's numbers; they are recorded in its config. */
export function versions(): Record<string, string> {
  const versionOf = (path: string) => (require(path) as { version: string }).version;
  return {
    pupil: versionOf("../../../../package.json"),
    node: process.versions.node,
    tfjs: versionOf("@tensorflow/tfjs-core/package.json"),
  };
}
