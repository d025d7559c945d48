import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { loadModel, type LoadProgress, urlFolder } from "../../../src/browser/index.js";
import { logitsOf } from "../models/tiny-models.js";
import { rows, smallFolder, smallModel } from "./model-on-hand.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves files of `/model/`; `answers` come before them. */
async function serve(
  files: ReadonlyMap<string, Uint8Array>,
  answers: Readonly<Record<string, Answer>> = {},
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const file = (request.url ?? "").replace(/^\/model\//, "").replace(/\?.*$/, "");
    asked.push(file);
    const own = answers[file];
    if (own !== undefined) return own(request, response);
    const bytes = files.get(file);
    if (bytes === undefined) return void response.writeHead(404).end("Not found");
    response.setHeader("content-length", bytes.length).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`, asked };
}

const html: Answer = (_, response) => {
  response.setHeader("content-type", "text/html; charset=utf-8").end("<!doctype html><p>Hello");
};

async function messageOf(loading: Promise<{ model: Disposable }>): Promise<string> {
  const error = await loading.then(
    ({ model }) => {
      model[Symbol.dispose]();
      throw new Error("It was loaded.");
    },
    (thrown: unknown) => thrown as Error,
  );
  expect(error.name).toBe("PupilError");
  return error.message;
}

test.each([
  ["one file", 1e9],
  ["several files", 4000],
])("a model in %s is the same, and every file is fetched once", async (_, maxShardBytes) => {
  const { url, asked } = await serve(await smallFolder({ maxShardBytes }));
  using original = smallModel();
  const { model, tokenizer, unknownKeys } = await loadModel(urlFolder(url));
  using loaded = model;
  expect(logitsOf(loaded, rows)).toEqual(logitsOf(original, rows));
  expect(tokenizer.decode(tokenizer.encode("abc"))).toBe("abc");
  expect(unknownKeys).toEqual([]);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.filter((file) => file.startsWith("model-")).length).toBe(
    maxShardBytes === 4000 ? 3 : 0,
  );
});

test("progress goes from the first piece of a file to its size", async () => {
  const files = await smallFolder();
  const { url } = await serve(files);
  const seen: LoadProgress[] = [];
  const folder = urlFolder(url, { onProgress: (progress) => seen.push(progress) });
  using model = (await loadModel(folder)).model;
  expect(model.numParameters).toBeGreaterThan(0);
  for (const [file, { length }] of files) {
    const own = seen.filter((progress) => progress.file === file);
    expect(own.at(-1)).toEqual({ file, loadedBytes: length, totalBytes: length });
    expect(own.map(({ loadedBytes }) => loadedBytes)).toEqual(
      own.map(({ loadedBytes }) => loadedBytes).sort((a, b) => a - b),
    );
  }
});

test("a query and headers go with every request, and stay out of messages", async () => {
  const files = await smallFolder();
  files.delete("tokenizer.json");
  const seen: string[] = [];
  const watch: Answer = (request, response) => {
    seen.push(`${new URL(request.url ?? "", "http://x").search} ${request.headers["x-key"]}`);
    response.end(files.get("config.json"));
  };
  const { url } = await serve(files, { "config.json": watch });
  const folder = urlFolder(`${url}?token=secret`, { headers: { "x-key": "mine" } });
  const message = await messageOf(loadModel(folder));
  expect(seen).toEqual(["?token=secret mine"]);
  expect(message).toContain("/model/tokenizer.json: The tokenizer does not exist");
  expect(message).not.toContain("secret");
});

describe("errors name the file and what to do", () => {
  test.each<[string, string, Answer, RegExp]>([
    [
      "404",
      "config.json",
      (_, response) => void response.writeHead(404).end(),
      /\/model\/config\.json: The model config does not exist: the server answers 404 Not Found\. Give the address/,
    ],
    [
      "a page in place of JSON",
      "config.json",
      html,
      /config\.json: The server answers with an HTML page in the place of the model config\./,
    ],
    [
      "a page that says it is JSON",
      "config.json",
      (_, response) => {
        response.setHeader("content-type", "application/json").end("\n<!DOCTYPE html><html>");
      },
      /config\.json: It is an HTML page in the place of the model config\./,
    ],
    [
      "a pointer of Git LFS in place of weights",
      "model.safetensors",
      (_, response) => void response.end("version https://git-lfs.github.com/spec/v1\noid 1"),
      /model\.safetensors: It is a pointer of Git LFS in the place of the weights file\. .*resolve/,
    ],
    [
      "rights that are missing",
      "model.safetensors",
      (_, response) => void response.writeHead(403).end(),
      /model\.safetensors: The file was not sent: the server answers 403 Forbidden\. .*headers/,
    ],
    [
      "a server that fails",
      "tokenizer.json",
      (_, response) => void response.writeHead(500).end(),
      /tokenizer\.json: The file was not sent: the server answers 500 .*Try again later/,
    ],
    [
      "a connection that ends in the middle",
      "model.safetensors",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write("x".repeat(10), () => response.destroy());
      },
      /model\.safetensors: The weights file was cut: 10 bytes of 1000 came\. Load it again\./,
    ],
    [
      "weights that were cut before they were sent",
      "model.safetensors",
      (_, response) => void response.end(Uint8Array.of(40, 0, 0, 0, 0, 0, 0, 0, 123)),
      /model\.safetensors: The header is said to have 40 bytes, but only 1 follow/,
    ],
    [
      "JSON that is none",
      "tokenizer.json",
      (_, response) => void response.end("{"),
      /tokenizer\.json: The tokenizer is not valid JSON/,
    ],
  ])("%s", async (_, file, answer, expected) => {
    const { url } = await serve(await smallFolder(), { [file]: answer });
    expect(await messageOf(loadModel(urlFolder(url)))).toMatch(expected);
  });

  test("no server", async () => {
    const message = await messageOf(loadModel(urlFolder("http://127.0.0.1:9/model")));
    expect(message).toMatch(/\/model\/adapter_config\.json: The file could not be fetched \(.*\)/);
    expect(message).toContain("that a server answers there");
  });

  test("a server of elsewhere that does not allow this page", async () => {
    vi.stubGlobal("location", new URL("https://my.page/train/"));
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    onTestFinished(() => void vi.unstubAllGlobals());
    const foreign = await messageOf(loadModel(urlFolder("https://elsewhere.org/model")));
    expect(foreign).toContain("does not allow pages of https://my.page");
    expect(foreign).toContain("Access-Control-Allow-Origin (CORS)");
    const own = await messageOf(loadModel(urlFolder("models/teacher")));
    expect(own).toMatch(/^https:\/\/my\.page\/train\/models\/teacher\/adapter_config\.json: /);
    expect(own).not.toContain("CORS");
  });

  test("an address that is none", () => {
    expect(() => urlFolder("models/teacher")).toThrow("It is no address. Give a whole one");
    expect(() => urlFolder("")).toThrow("urlFolder: url: is empty.");
  });
});

test("a server that answers with a page for what it lacks is a server that lacks it", async () => {
  const files = await smallFolder();
  const lacks = ["adapter_config.json", "generation_config.json", "chat_template.jinja"];
  const { url } = await serve(files, Object.fromEntries(lacks.map((file) => [file, html])));
  const { model } = await loadModel(urlFolder(url));
  using loaded = model;
  expect(loaded.numParameters).toBeGreaterThan(0);
});

test("an older form of tokenizer is found without a list of the folder's files", async () => {
  const files = await smallFolder();
  files.delete("tokenizer.json");
  files.delete("tokenizer_config.json");
  const bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "##s"].join("\n");
  files.set("vocab.txt", new TextEncoder().encode(bert));
  const { url } = await serve(files);
  const { model, tokenizer } = await loadModel(urlFolder(url));
  using loaded = model;
  expect(loaded.config.vocabSize).toBe(7);
  expect(tokenizer.encode("the cats")).toEqual([4, 5, 6]);
});

test("what compresses has no total", async () => {
  const files = await smallFolder();
  const { gzipSync } = await import("node:zlib");
  const packed: Answer = (_, response) => {
    const bytes = gzipSync(files.get("tokenizer.json") as Uint8Array);
    response.setHeader("content-encoding", "gzip").setHeader("content-length", bytes.length);
    response.end(bytes);
  };
  const { url } = await serve(files, { "tokenizer.json": packed });
  const seen: LoadProgress[] = [];
  const folder = urlFolder(url, { onProgress: (progress) => seen.push(progress) });
  using model = (await loadModel(folder)).model;
  expect(model.numParameters).toBeGreaterThan(0);
  const loadedBytes = files.get("tokenizer.json")?.length;
  expect(seen).toContainEqual({ file: "tokenizer.json", loadedBytes, totalBytes: undefined });
});

test("a signal ends it with its own reason", async () => {
  const files = await smallFolder();
  const stop = new AbortController();
  const slow: Answer = (_, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("x", () => stop.abort(new Error("the user left")));
  };
  const { url } = await serve(files, { "model.safetensors": slow });
  const loading = loadModel(urlFolder(url, { signal: stop.signal }));
  await expect(loading).rejects.toThrow("the user left");
});

test("what failed can be tried again with the same folder", async () => {
  const files = await smallFolder();
  let fails = true;
  const once: Answer = (_, response) => {
    if (fails) response.writeHead(500).end();
    else response.end(files.get("tokenizer.json"));
    fails = false;
  };
  const { url } = await serve(files, { "tokenizer.json": once });
  const folder = urlFolder(url);
  expect(await messageOf(loadModel(folder))).toContain("500");
  using model = (await loadModel(folder)).model;
  expect(model.numParameters).toBeGreaterThan(0);
});
