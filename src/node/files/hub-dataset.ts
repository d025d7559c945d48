import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { pipeline } from "node:stream/promises";
import type { HubRequest } from "../../config/index.js";
import type { DataFile } from "../../data/index.js";
import { PupilError, showValue } from "../../errors/index.js";
import { loadHub } from "../optional-packages.js";
import { writeFileAtomic } from "./atomic.js";
import { exists } from "./file-exists.js";
import { openDataFile } from "./open-data-file.js";

export interface HubOptions {
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly hubUrl?: string;
  /** Default: `datasets` in `PUPIL_CACHE`, else in `pupil` in the user's cache folder. */
  readonly cacheFolder?: string;
  /** Default: `HF_TOKEN`. It is sent to the Hub and nowhere else, and never printed. */
  readonly token?: string;
}

/** Versions of a repository's files by path, as they were when it was last listed. */
type Listing = Readonly<Record<string, string>>;

/**
 * The files of a Hub dataset that a request chooses. They are downloaded into the cache folder once
 * per version; without a connection, what is there is used.
 *
 * @throws PupilError for a dataset that is not there, private or gated, and where neither the Hub
 *   nor the cache can give the files
 */
export async function downloadDataset(
  { dataset, revision, choose }: HubRequest,
  options: HubOptions = {},
): Promise<DataFile[]> {
  for (const part of [dataset, revision]) {
    // They name a folder of the cache.
    if (!/^\.*$|(^|\/)\.\.(\/|$)|[\0-\x1f\\]/.test(part)) continue;
    throw new PupilError(`${showValue(part)} is no name on the Hub.`, {
      field: part === dataset ? "data.dataset" : "data.revision",
      value: part,
      remedy: 'Write "owner/name", and a branch, tag or commit.',
    });
  }
  const hub = await connect(dataset, revision, options);
  const folder = join(hub.cacheFolder, dataset.replace("/", "--"), revision.replaceAll("/", "--"));
  const listingFile = join(folder, "listing.json");
  const cached = await readListing(listingFile);
  let listing: Listing;
  try {
    listing = await hub.list();
  } catch (error) {
    const failure = hub.explain(error);
    // Only a missing connection is made up for: a dataset that was withdrawn stays withdrawn.
    if (!isOffline(error) || Object.keys(cached).length === 0) throw failure;
    const known = choose(Object.keys(cached));
    for (const path of known) assertInside(path);
    return Promise.all(known.map((path) => openDataFile(join(folder, path))));
  }
  const paths = choose(Object.keys(listing));
  const have = { ...cached };
  for (const path of paths) {
    assertInside(path);
    const target = join(folder, path);
    if (have[path] === listing[path] && (await exists(target))) continue;
    await hub.download(path, target).catch((error: unknown) => {
      throw hub.explain(error);
    });
    have[path] = listing[path] as string;
    await writeFileAtomic(listingFile, `${JSON.stringify(have, null, 2)}\n`);
  }
  return Promise.all(paths.map((path) => openDataFile(join(folder, path))));
}

async function connect(dataset: string, revision: string, options: HubOptions) {
  const { downloadFile, HubApiError, listFiles } = await loadHub();
  const { HF_ENDPOINT, HF_TOKEN, PUPIL_CACHE, XDG_CACHE_HOME } = process.env;
  const hubUrl = (options.hubUrl ?? HF_ENDPOINT ?? "https://huggingface.co").replace(/\/$/, "");
  const userCache = join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pupil");
  const cacheFolder = options.cacheFolder ?? join(PUPIL_CACHE ?? userCache, "datasets");
  const token = options.token ?? HF_TOKEN;
  if (token !== undefined && token !== "" && !token.startsWith("hf_")) {
    throw new PupilError('does not hold an access token: those begin with "hf_".', {
      field: "HF_TOKEN",
      remedy: "Set it to a token of huggingface.co/settings/tokens, or unset it.",
    });
  }
  const request = {
    repo: { type: "dataset" as const, name: dataset },
    revision,
    hubUrl,
    ...(token ? { accessToken: token } : {}),
  };
  return {
    cacheFolder,
    async list(): Promise<Listing> {
      const listing: Record<string, string> = {};
      for await (const { type, path, oid, size } of listFiles({ ...request, recursive: true })) {
        if (type === "file") listing[path] = oid ?? String(size);
      }
      return listing;
    },
    async download(path: string, target: string): Promise<void> {
      const blob = await downloadFile({ ...request, path });
      if (blob === null) throw new Error(`it lists ${path} and does not have it`);
      const unfinished = `${target}.unfinished`;
      await mkdir(dirname(target), { recursive: true });
      try {
        const body = Readable.fromWeb(blob.stream() as ReadableStream);
        await pipeline(body, createWriteStream(unfinished));
        const { size } = await stat(unfinished);
        if (size !== blob.size) throw new Error(`${path} came with ${size} of ${blob.size} bytes`);
        await rename(unfinished, target);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
    explain(error: unknown): unknown {
      if (error instanceof PupilError) return error;
      const status = error instanceof HubApiError ? error.statusCode : undefined;
      return failureOf(error, status, { dataset, revision, hubUrl, hasToken: Boolean(token) });
    },
  };
}

interface Asked {
  readonly dataset: string;
  readonly revision: string;
  readonly hubUrl: string;
  readonly hasToken: boolean;
}

function failureOf(error: unknown, status: number | undefined, asked: Asked): PupilError {
  const { dataset, revision, hubUrl, hasToken } = asked;
  const fail = (problem: string, remedy: string) =>
    new PupilError(problem, { field: "data.dataset", value: dataset, remedy, cause: error });
  const token = hasToken
    ? "Ask for access on its page with the account of HF_TOKEN."
    : "Ask for access on its page, and set HF_TOKEN to a token of that account.";
  if (status === 401 || status === 403) {
    // The Hub answers 401 for what is not there too, so that private names stay private.
    return fail(
      `The Hub does not give ${dataset}: it is gated or private, or there is no such dataset.`,
      `Check the name. ${token}`,
    );
  }
  if (status === 404) {
    return fail(
      `The Hub has no dataset ${dataset} with the revision "${revision}".`,
      `Check the name and the revision on ${hubUrl}/datasets/${dataset}.`,
    );
  }
  if (isOffline(error)) {
    return fail(
      `The Hub (${hubUrl}) cannot be reached, and ${dataset} is not in the cache.`,
      'Check the connection, or download the files elsewhere and use type "file".',
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return fail(`The Hub did not give ${dataset}: ${reason}.`, "Try again later.");
}

/** `fetch` says no more than that it failed, in a TypeError. */
function isOffline(error: unknown): boolean {
  return error instanceof TypeError && /fetch failed|failed to fetch|network/i.test(error.message);
}

async function readListing(path: string): Promise<Listing> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Listing;
  } catch {
    // Not there yet, or damaged: everything is fetched again.
    return {};
  }
}

/** Paths come from the repository: none may lead out of the cache folder. */
function assertInside(path: string): void {
  const isOutside = isAbsolute(path) || path.split(/[/\\]/).includes("..");
  if (!isOutside && !path.includes("\0")) return;
  throw new PupilError(`The dataset names a file outside of its folder: ${showValue(path)}.`, {
    field: "data.dataset",
    remedy: "Do not use this dataset.",
  });
}
