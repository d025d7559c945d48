/**
 * How the C kernels (native/) are compiled: every file of kernels once per instruction set, the rest
 * once, and all of it linked to one Node addon. No node-gyp: the compiler is called as it is, and the
 * headers are those of the npm package node-api-headers.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const sources = join(root, "native");
const run = promisify(execFile);

/** The room of what is the same for every instruction set. */
const common = "engine";

const instructionSets = {
  x64: {
    avx512: ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mavx2", "-mfma"],
    avx2: ["-mavx2", "-mfma"],
    baseline: [],
  },
  arm64: { neon: [] },
};

// No -ffast-math: NaN and infinities mean something. No contraction: results are those of the source
// with every compiler; what is to be rounded once says so (vfma).
const flags = [
  ...["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"],
  ...["-Wall", "-Wextra", "-DNAPI_VERSION=8"],
];

/** The directory of the Node-API headers; undefined where the package is not installed. */
export function headers() {
  try {
    return createRequire(import.meta.url)("node-api-headers").include_dir;
  } catch {
    return undefined;
  }
}

/** The first C compiler that answers: as a command with its first arguments. */
export function findCompiler() {
  const named = process.env["CC"]?.trim().split(/\s+/);
  for (const command of [...(named ? [named] : []), ["cc"], ["clang"], ["gcc"]]) {
    const [name, ...rest] = command;
    const { status } = spawnSync(name, [...rest, "--version"], { stdio: "ignore" });
    if (status === 0) return command;
  }
  return undefined;
}

/** The sources with an ending, by their paths below native/: at its top and in its rooms (build/ is none). */
function sourceFiles(ending) {
  const rooms = readdirSync(sources, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== "build",
  );
  return ["", ...rooms.map(({ name }) => name)]
    .flatMap((room) => readdirSync(join(sources, room)).map((name) => posix.join(room, name)))
    .filter((file) => ending.test(file))
    .sort();
}

/** Changes whenever a source, this script, or what it is compiled with does. */
export function digest(...more) {
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of sourceFiles(/\.[ch]$/)) {
    hash.update(file).update(readFileSync(join(sources, file)));
  }
  return hash.update(JSON.stringify(more)).digest("hex");
}

/** `linux-x64-glibc`, `darwin-arm64`: as prebuilt binaries are named; src/node/native-kernels.ts has it too. */
export function platformName() {
  const { platform, arch } = process;
  if (platform !== "linux") return `${platform}-${arch}`;
  const { header } = process.report.getReport();
  return `${platform}-${arch}-${header.glibcVersionRuntime === undefined ? "musl" : "glibc"}`;
}

/** Whether an architecture has kernels. */
export function hasKernels(arch) {
  return arch in instructionSets;
}

/**
 * Compiles and links everything to `output`. `target`: `platform` (as of process.platform), `arch`,
 * `extra` flags for compiler and linker, `exports`: a library of Node's symbols, which Windows links to.
 */
export async function buildAddon(compiler, target, output) {
  const [command, ...first] = compiler;
  const { platform, arch, extra = [], link = [] } = target;
  const work = `${output}.objects`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const position = platform === "win32" ? [] : ["-fPIC"];
  const jobs = [];
  const compile = (file, suffix, more) => {
    const to = join(work, `${file.replaceAll("/", "-")}${suffix}`);
    jobs.push({
      to,
      args: [
        ...first,
        ...flags,
        ...position,
        ...extra,
        ...more,
        `-I${sources}`,
        "-c",
        join(sources, file),
        "-o",
        to,
      ],
    });
  };
  const isCommon = (file) => posix.dirname(file) === common;
  const files = sourceFiles(/\.c$/);
  for (const file of files.filter(isCommon)) compile(file, ".o", ["-isystem", headers()]);
  const families = files.filter((file) => !isCommon(file));
  for (const [isa, options] of Object.entries(instructionSets[arch])) {
    for (const file of families) {
      compile(file, `.${isa}.o`, [...options, `-DPUPIL_ISA=${isa}`]);
    }
  }
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      await run(command, job.args);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const shared =
    platform === "darwin"
      ? ["-dynamiclib", "-Wl,-undefined,dynamic_lookup"]
      : ["-shared", ...(platform === "win32" ? [] : ["-pthread", "-lm"])];
  mkdirSync(dirname(output), { recursive: true });
  await run(command, [
    ...[...first, ...extra, ...jobs.map((job) => job.to), "-o", output, ...shared, ...link],
  ]);
  rmSync(work, { recursive: true, force: true });
  return basename(output);
}
