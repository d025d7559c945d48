import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Bytes of a built playground once a server has compressed them. */
export interface PlaygroundSizes {
  /** Page, style and the page's own script: what is needed before anything is seen. */
  readonly page: number;
  /** The worker with what it is made of, before a GPU or a zip is asked for, and the CPU engine's kernels. */
  readonly engine: number;
  /** What is fetched when it is used: WebGPU, zips. */
  readonly onDemand: number;
}

const fetchedFirst = /^(worker-.*\.js|kernels-.*\.wasm|rolldown-runtime-.*\.js)$/;

/** Sizes of a build by what it is for; the teacher's folder is none of them. */
export function playgroundSizes(built: string): PlaygroundSizes {
  const assets = join(built, "assets");
  const sizes = { page: gzipped(join(built, "index.html")), engine: 0, onDemand: 0 };
  for (const file of readdirSync(assets)) {
    const size = gzipped(join(assets, file));
    if (/^index-.*\.(js|css)$/.test(file)) sizes.page += size;
    else if (fetchedFirst.test(file)) sizes.engine += size;
    else sizes.onDemand += size;
  }
  return sizes;
}

const gzipped = (path: string) =>
  statSync(path).isFile() ? gzipSync(readFileSync(path), { level: 9 }).length : 0;
