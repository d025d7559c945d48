import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readRows, splitFiles } from "../../../../src/data/index.js";
import { downloadDataset, type HubOptions } from "../../../../src/node/index.js";
import { collect, messageOf } from "../../../setup/data/data-rows.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

const token = "hf_secretForTests";
const files: Record<string, string> = {
  "README.md": "about",
  "data/train-00000-of-00002.jsonl": '{"text":"a"}\n',
  "data/train-00001-of-00002.jsonl": '{"text":"b"}\n',
  "data/test-00000-of-00001.jsonl": '{"text":"c"}\n',
};

/** Answers as the Hub does for one public and one gated dataset. */
async function fakeHub(content: Record<string, string> = files) {
  const requests: IncomingMessage[] = [];
  const fail = (response: ServerResponse, status: number) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: `status ${status}` }));
  };
  const server = createServer((request, response) => {
    requests.push(request);
    const url = request.url ?? "";
    const isGated = url.includes("me/gated");
    if (isGated && request.headers.authorization !== `Bearer ${token}`) return fail(response, 401);
    if (!isGated && !url.includes("me/open")) return fail(response, 404);
    if (!url.includes("/main")) return fail(response, 404);
    if (url.startsWith("/api/datasets/")) {
      const listed = Object.entries(content).map(([path, text]) => ({
        type: "file",
        path,
        oid: `oid-${text.length}-${text}`,
        size: text.length,
      }));
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(JSON.stringify([{ type: "directory", path: "data" }, ...listed]));
    }
    const path = decodeURIComponent(url.slice(url.indexOf("/main/") + 6));
    const text = content[path];
    if (text === undefined) return fail(response, 404);
    const isPart = request.headers.range !== undefined;
    response.writeHead(isPart ? 206 : 200, {
      etag: `"${path}"`,
      ...(isPart ? { "content-range": `bytes 0-0/${text.length}` } : {}),
    });
    return response.end(isPart ? text.slice(0, 1) : text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(close);
  const hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { hubUrl, requests, close };
}

const request = (dataset = "me/open", split = "train", revision = "main") => ({
  dataset,
  revision,
  choose: (paths: readonly string[]) => splitFiles(paths, { split, source: dataset }),
});

async function textsOf(options: HubOptions, ...asked: Parameters<typeof request>) {
  const opened = await downloadDataset(request(...asked), options);
  const rows = await Promise.all(opened.map((file) => collect(readRows(file))));
  return rows.flat().map(({ row }) => row["text"]);
}

test("the files of a split are downloaded once, and used without a connection", async () => {
  const hub = await fakeHub();
  const options = { hubUrl: hub.hubUrl, cacheFolder: temporaryFolder() };
  expect(await textsOf(options)).toEqual(["a", "b"]);
  const downloads = () => hub.requests.filter(({ url }) => url?.includes("/resolve/")).length;
  const first = downloads();
  expect(hub.requests.some(({ url }) => url?.includes("test-00000"))).toBe(false);
  expect(await textsOf(options)).toEqual(["a", "b"]);
  expect(downloads()).toBe(first);
  await hub.close();
  expect(await textsOf(options)).toEqual(["a", "b"]);
  expect(await messageOf(textsOf(options, "me/open", "test"))).toContain('has no split "test"');
});

test("a new version of a file replaces the old one", async () => {
  const content = { "train.jsonl": '{"text":"old"}' };
  const hub = await fakeHub(content);
  const options = { hubUrl: hub.hubUrl, cacheFolder: temporaryFolder() };
  expect(await textsOf(options)).toEqual(["old"]);
  content["train.jsonl"] = '{"text":"newer"}';
  expect(await textsOf(options)).toEqual(["newer"]);
});

test("a gated dataset needs the token, which no message holds", async () => {
  const hub = await fakeHub();
  const options = { hubUrl: hub.hubUrl, cacheFolder: temporaryFolder() };
  expect(await textsOf({ ...options, token }, "me/gated")).toEqual(["a", "b"]);
  const without = await messageOf(textsOf({ ...options, token: "" }, "me/gated"));
  expect(without).toMatch(
    /^data\.dataset: The Hub does not give me\/gated: it is gated or private.*set HF_TOKEN/,
  );
  const wrong = await messageOf(textsOf({ ...options, token: "hf_wrong" }, "me/gated"));
  expect(wrong).toMatch(/Ask for access on its page with the account of HF_TOKEN/);
  const odd = await messageOf(textsOf({ ...options, token: "secret" }, "me/gated"));
  expect(odd).toMatch(/^HF_TOKEN: does not hold an access token/);
  for (const message of [without, wrong, odd]) expect(message).not.toMatch(/hf_wrong|secret\b/);
});

test("not found, no such split, offline, and paths that lead out", async () => {
  const hub = await fakeHub();
  const options = { hubUrl: hub.hubUrl, cacheFolder: temporaryFolder() };
  expect(await messageOf(textsOf(options, "me/nothing"))).toMatch(
    /The Hub has no dataset me\/nothing with the revision "main"\. Check the name/,
  );
  expect(await messageOf(textsOf(options, "me/open", "train", "v9"))).toMatch(/the revision "v9"/);
  expect(await messageOf(textsOf(options, "me/open", "trian"))).toMatch(
    /me\/open: has no split "trian"\. Did you mean "train"\?/,
  );
  await hub.close();
  expect(await messageOf(textsOf(options, "me/open"))).toMatch(
    /The Hub \(http:.*\) cannot be reached, and me\/open is not in the cache\. .*type "file"/,
  );
  const bad = await fakeHub({ "../../train.jsonl": "{}" });
  const into = { hubUrl: bad.hubUrl, cacheFolder: temporaryFolder() };
  const all = { ...request(), choose: (paths: readonly string[]) => paths };
  expect(await messageOf(downloadDataset(all, into))).toMatch(/names a file outside of its folder/);
});

describe("the cache", () => {
  const folder = (root: string, ...names: string[]) => join(root, "me--open", "main", ...names);
  const downloadsOf = ({ requests }: { requests: readonly IncomingMessage[] }) =>
    requests.filter(({ url }) => url?.includes("/resolve/")).length;

  test("holds the files of the splits that were asked for, and what versions they are", async () => {
    const hub = await fakeHub();
    const cacheFolder = temporaryFolder();
    const options = { hubUrl: hub.hubUrl, cacheFolder };
    const listing = () =>
      JSON.parse(readFileSync(folder(cacheFolder, "listing.json"), "utf8")) as object;
    await textsOf(options);
    const train = ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"];
    expect(Object.keys(listing())).toEqual(train);
    for (const path of train) {
      const text = files[path] as string;
      expect(readFileSync(folder(cacheFolder, path), "utf8")).toBe(text);
      expect(listing()).toHaveProperty([path], `oid-${text.length}-${text}`);
    }
    expect(await textsOf(options, "me/open", "test")).toEqual(["c"]);
    expect(Object.keys(listing())).toEqual([...train, "data/test-00000-of-00001.jsonl"]);
    await hub.close();
    expect(await textsOf(options, "me/open", "test")).toEqual(["c"]);
    expect(await textsOf(options)).toEqual(["a", "b"]);
    expect(
      readdirSync(folder(cacheFolder, "data")).filter((name) => /unfinished/.test(name)),
    ).toEqual([]);
  });

  test("is made up where a file of it or the note of its versions is lost", async () => {
    const hub = await fakeHub();
    const cacheFolder = temporaryFolder();
    const options = { hubUrl: hub.hubUrl, cacheFolder };
    await textsOf(options);
    const perFile = downloadsOf(hub) / 2;
    const first = folder(cacheFolder, "data/train-00000-of-00002.jsonl");
    rmSync(first);
    expect(await textsOf(options)).toEqual(["a", "b"]);
    expect(downloadsOf(hub)).toBe(3 * perFile);
    writeFileSync(folder(cacheFolder, "listing.json"), "{");
    expect(await textsOf(options)).toEqual(["a", "b"]);
    expect(downloadsOf(hub)).toBe(5 * perFile);
    rmSync(folder(cacheFolder, "listing.json"));
    await hub.close();
    // Nothing says what the files are that are there.
    expect(await messageOf(textsOf(options))).toMatch(/is not in the cache/);
  });

  test("lies where the environment says, which also names the Hub", async () => {
    const hub = await fakeHub();
    const [own, users] = [temporaryFolder(), temporaryFolder()];
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("HF_ENDPOINT", `${hub.hubUrl}/`);
    vi.stubEnv("HF_TOKEN", undefined);
    vi.stubEnv("PUPIL_CACHE", undefined);
    vi.stubEnv("XDG_CACHE_HOME", users);
    expect(await textsOf({})).toEqual(["a", "b"]);
    expect(existsSync(folder(join(users, "pupil", "datasets"), "listing.json"))).toBe(true);
    vi.stubEnv("PUPIL_CACHE", own);
    expect(await textsOf({})).toEqual(["a", "b"]);
    expect(readdirSync(own)).toEqual(["datasets"]);
    expect(existsSync(folder(join(own, "datasets"), "listing.json"))).toBe(true);
    expect(await messageOf(textsOf({}, "me/gated"))).toContain("set HF_TOKEN");
    vi.stubEnv("HF_TOKEN", token);
    expect(await textsOf({}, "me/gated")).toEqual(["a", "b"]);
  });
});
