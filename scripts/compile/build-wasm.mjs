/**
 * Compiles the AssemblyScript kernels twice: with relaxed SIMD (fused multiply-add) and with plain
 * SIMD. The modules land beside the sources, where tests and tsx find them, and in dist when it
 * exists, and carry a digest of their sources so that nothing is compiled again without need.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = "src/ops/kernels/wasm";
const target = `${root}/${folder}/build`;
const builds = [
  { name: "kernels-relaxed", options: ["--enable", "relaxed-simd"] },
  { name: "kernels-plain", options: [] },
];

/** Changes whenever a source, this script, or the compiler does. */
function digest() {
  const hash = createHash("sha256").update(asc.version);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  const sources = `${root}/${folder}/assembly`;
  for (const name of readdirSync(sources).sort()) {
    if (name.endsWith(".ts")) hash.update(name).update(readFileSync(`${sources}/${name}`));
  }
  return hash.digest("hex");
}

async function compile({ name, options }) {
  const { error, stderr } = await asc.main([
    `${folder}/assembly/index.ts`,
    ...["--baseDir", root, "--outFile", `${folder}/build/${name}.wasm`],
    ...["--enable", "simd", "--enable", "threads", ...options],
    ...["--importMemory", "--sharedMemory", "--initialMemory", "16", "--maximumMemory", "65536"],
    ...["--runtime", "stub", "--memoryBase", "4096"],
    ...["-O3", "--noAssert", "--use", "abort="],
  ]);
  if (error) {
    process.stderr.write(stderr.toString());
    throw error;
  }
}

const stamp = `${target}/digest.txt`;
const current = digest();
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== current) {
  mkdirSync(target, { recursive: true });
  for (const build of builds) await compile(build);
  writeFileSync(stamp, current);
}
if (existsSync(`${root}/dist`)) {
  const shipped = `${root}/dist/ops/kernels/wasm/build`;
  mkdirSync(shipped, { recursive: true });
  for (const { name } of builds) copyFileSync(`${target}/${name}.wasm`, `${shipped}/${name}.wasm`);
}
