/** What is made of each answer of the Hub, and of none: the requests go to a function in its place. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { downloadDataset, type HubOptions } from "../../../../src/node/files/hub-dataset.js";
import { messageOf } from "../../../setup/data/data-rows.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

interface Asked {
  readonly url: URL;
  readonly headers: Headers;
}

/** Answers requests until the test has finished; returns what was asked. */
function hubThat(answer: (asked: Asked) => Response): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (input: Request | URL | string, init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const one = { url, headers: new Headers(init?.headers) };
    asked.push(one);
    return answer(one);
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return asked;
}

const offline = (): never => {
  throw new TypeError("fetch failed");
};
const failing = (status: number) => () =>
  new Response(JSON.stringify({ error: "refused" }), {
    status,
    headers: { "content-type": "application/json" },
  });

/** A dataset whose files are these; `cut` bytes are missing of each. */
function serving(
  files: Readonly<Record<string, string>>,
  { cut = 0, withoutId = false, lists = Object.keys(files) } = {},
) {
  return ({ url, headers }: Asked): Response => {
    if (url.pathname.startsWith("/api/")) {
      const listed = lists.map((path) => ({
        ...{ type: "file", path, size: files[path]?.length ?? 9 },
        ...(withoutId ? {} : { oid: `id of ${path}` }),
      }));
      const folder = { type: "directory", path: "data", oid: "f", size: 0 };
      return Response.json([folder, ...listed]);
    }
    const text = files[decodeURIComponent(url.pathname.split("/main/")[1] ?? "")];
    if (text === undefined) {
      return new Response(null, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
    }
    const isPart = headers.has("range");
    return new Response(isPart ? text.slice(0, 1) : text.slice(0, text.length - cut), {
      status: isPart ? 206 : 200,
      headers: { etag: '"x"', ...(isPart && { "content-range": `bytes 0-0/${text.length}` }) },
    });
  };
}

const request = { dataset: "me/open", revision: "main" };
const all = { ...request, choose: (paths: readonly string[]) => paths };

async function download(options: HubOptions = {}, asked = all): Promise<string[]> {
  const files = await downloadDataset(asked, { cacheFolder: temporaryFolder(), ...options });
  return Promise.all(files.map(async (file) => new TextDecoder().decode(await file.slice(0))));
}

beforeEach(() => {
  for (const name of ["HF_ENDPOINT", "HF_TOKEN", "PUPIL_CACHE", "XDG_CACHE_HOME"]) {
    vi.stubEnv(name, undefined);
  }
  return () => void vi.unstubAllEnvs();
});

describe("what is asked", () => {
  test("the files of all folders of that version, and no folder is a file", async () => {
    const asked = hubThat(serving({ "a.txt": "one", "data/b c.txt": "two" }));
    const seen: string[][] = [];
    const choose = (paths: readonly string[]) => {
      seen.push([...paths]);
      return paths.slice(1);
    };
    expect(await download({}, { ...request, choose })).toEqual(["two"]);
    expect(seen).toEqual([["a.txt", "data/b c.txt"]]);
    expect(asked[0]?.url.href).toMatch(
      /^https:\/\/huggingface\.co\/api\/datasets\/me\/open\/tree\/main\?.*recursive=true/,
    );
    const others = asked.slice(1).map(({ url }) => url.pathname);
    expect(new Set(others)).toEqual(new Set(["/datasets/me/open/resolve/main/data/b%20c.txt"]));
    expect(asked.every(({ headers }) => !headers.has("authorization"))).toBe(true);
  });

  test("with the token, where there is one: that of the call before that of the environment", async () => {
    vi.stubEnv("HF_TOKEN", "hf_environment");
    for (const [options, expected] of [
      [{}, "Bearer hf_environment"],
      [{ token: "hf_call" }, "Bearer hf_call"],
      [{ token: "" }, null],
    ] as const) {
      const asked = hubThat(serving({ "a.txt": "one" }));
      await download(options);
      expect(asked.length).toBeGreaterThan(1);
      for (const { headers } of asked) expect(headers.get("authorization")).toBe(expected);
    }
  });

  test("of the address that is given, whatever the environment says", async () => {
    vi.stubEnv("HF_ENDPOINT", "https://elsewhere.test");
    const asked = hubThat(serving({ "a.txt": "one" }));
    await download({ hubUrl: "https://mine.test/" });
    expect(new Set(asked.map(({ url }) => url.origin))).toEqual(new Set(["https://mine.test"]));
    expect(asked.every(({ url }) => !url.pathname.startsWith("//"))).toBe(true);
  });

  test("a version is one by its size where it has no id", async () => {
    const cacheFolder = temporaryFolder();
    hubThat(serving({ "a.txt": "four" }, { withoutId: true }));
    await download({ cacheFolder });
    const listing = join(cacheFolder, "me--open/main/listing.json");
    expect(readFileSync(listing, "utf8")).toBe('{\n  "a.txt": "4"\n}\n');
    const again = hubThat(serving({ "a.txt": "four" }, { withoutId: true }));
    expect(await download({ cacheFolder })).toEqual(["four"]);
    expect(again).toHaveLength(1);
    hubThat(serving({ "a.txt": "fives" }, { withoutId: true }));
    expect(await download({ cacheFolder })).toEqual(["fives"]);
  });
});

describe("an answer that gives nothing", () => {
  test.each([401, 403])("%i: gated, private or not there", async (status) => {
    hubThat(failing(status));
    const start =
      "data.dataset: The Hub does not give me/open: it is gated or private, or there is no such dataset. Check the name. ";
    expect(await messageOf(download())).toBe(
      `${start}Ask for access on its page, and set HF_TOKEN to a token of that account.`,
    );
    expect(await messageOf(download({ token: "hf_x" }))).toBe(
      `${start}Ask for access on its page with the account of HF_TOKEN.`,
    );
  });

  test("404: no such dataset or version, with where to look", async () => {
    hubThat(failing(404));
    expect(await messageOf(download({ hubUrl: "https://mine.test" }))).toBe(
      'data.dataset: The Hub has no dataset me/open with the revision "main". Check the name and the revision on https://mine.test/datasets/me/open.',
    );
  });

  test("any other: its own words, and another day", async () => {
    hubThat(failing(500));
    expect(await messageOf(download())).toMatch(
      /^data\.dataset: The Hub did not give me\/open: refused.*\. Try again later\.$/s,
    );
    // An error that says so is no missing connection, if fetch did not raise it.
    hubThat(() => {
      throw new Error("fetch failed");
    });
    expect(await messageOf(download())).toContain("The Hub did not give me/open: fetch failed.");
  });

  test("a file that is listed and not there, or shorter than it is said to be, leaves none", async () => {
    const cacheFolder = temporaryFolder();
    hubThat(serving({}, { lists: ["a.txt"] }));
    expect(await messageOf(download({ cacheFolder }))).toContain(
      "The Hub did not give me/open: it lists a.txt and does not have it.",
    );
    hubThat(serving({ "in/a.txt": "abcdef" }, { cut: 2 }));
    expect(await messageOf(download({ cacheFolder }))).toContain(
      "The Hub did not give me/open: in/a.txt came with 4 of 6 bytes.",
    );
    expect(readdirSync(join(cacheFolder, "me--open/main/in"))).toEqual([]);
    expect(existsSync(join(cacheFolder, "me--open/main/listing.json"))).toBe(false);
  });

  test("an error of the one who chooses is that one's", async () => {
    hubThat(serving({ "a.txt": "one" }));
    const own = new Error("no such split");
    const choose = () => {
      throw own;
    };
    await expect(download({}, { ...request, choose })).rejects.toBe(own);
  });
});

describe("without a connection", () => {
  function cacheWith(listing: object, root = temporaryFolder()): string {
    const folder = join(root, "me--open/main");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "listing.json"), JSON.stringify(listing));
    for (const path of Object.keys(listing)) {
      if (!/\.\.|^\/|\0/.test(path)) writeFileSync(join(folder, path), `cached ${path}`);
    }
    return root;
  }

  test("what is in the cache is used, where the user's own lies", async () => {
    hubThat(offline);
    const home = temporaryFolder();
    vi.stubEnv("HOME", home);
    cacheWith({ "a.txt": "1", "b.txt": "2" }, join(home, ".cache/pupil/datasets"));
    expect(await download({ cacheFolder: undefined as never })).toEqual([
      "cached a.txt",
      "cached b.txt",
    ]);
    const choose = (paths: readonly string[]) => paths.filter((path) => path === "b.txt");
    expect(await download({ cacheFolder: undefined as never }, { ...request, choose })).toEqual([
      "cached b.txt",
    ]);
  });

  test("an empty cache is none, and a dataset that was withdrawn stays withdrawn", async () => {
    hubThat(offline);
    expect(await messageOf(download({ cacheFolder: cacheWith({}) }))).toBe(
      'data.dataset: The Hub (https://huggingface.co) cannot be reached, and me/open is not in the cache. Check the connection, or download the files elsewhere and use type "file".',
    );
    hubThat(failing(404));
    expect(await messageOf(download({ cacheFolder: cacheWith({ "a.txt": "1" }) }))).toContain(
      "has no dataset me/open",
    );
  });

  test.each(["../a.txt", "in/../../a.txt", "/etc/hosts", "in\\..\\a.txt", "a\0.txt"])(
    "a path that leads out of the cache (%j) is no file of it, nor with a connection",
    async (path) => {
      hubThat(offline);
      const said = /^data\.dataset: The dataset names a file outside of its folder: .*Do not use/;
      expect(await messageOf(download({ cacheFolder: cacheWith({ [path]: "1" }) }))).toMatch(said);
      const asked = hubThat(serving({ [path]: "one" }));
      expect(await messageOf(download())).toMatch(said);
      expect(asked).toHaveLength(1);
    },
  );

  test("two dots in a name are a name", async () => {
    hubThat(serving({ "a..txt": "one" }));
    expect(await download()).toEqual(["one"]);
  });
});
