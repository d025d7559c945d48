import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get, type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveView } from "../../../../src/node/index.js";
import { runsPerPage } from "../../../../src/node/view/list-page.js";
import { refusalOf } from "../../../../src/node/view/request-rules.js";
import { writeRunFiles } from "../../../setup/runs/run-files.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

async function serve(folder: string) {
  const server = await serveView({ folder, everyMs: 20 });
  onTestFinished(() => server.close());
  const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<Answer>((done, fail) => {
      const sent = request(new URL(path, server.url), { method, headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () =>
          done({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      sent.on("error", fail);
      sent.end();
    });
  return { ...server, ask };
}

test("a folder where nothing runs yet has a page, and the runs that come are on it", async () => {
  const root = join(temporaryFolder(), "runs");
  const { ask } = await serve(root);
  expect((await ask("/")).text).toContain("There are no runs here yet");
  writeRunFiles(join(root, "deep/er/one"));
  const { text } = await ask("/");
  expect(text).toContain('<a href="/run?path=deep%2Fer%2Fone">deep/er/one</a>');
  expect(text).toContain('aria-label="Loss from 2 to 1.33"');
  expect((await ask("/?q=two")).text).toContain("No path has &quot;two&quot; in it.");
  const run = await ask("/run?path=deep/er/one");
  expect(run.text).toContain("<h3>Divergence from the teacher</h3>");
  const sections = JSON.parse((await ask("/sections?of=/run&path=deep/er/one")).text) as object[];
  expect(sections).toContainEqual({
    id: "warnings",
    html: expect.stringContaining("Lower learningRate."),
  });
});

test("many runs are shown a page at a time, the last changed ones first", async () => {
  const root = temporaryFolder();
  for (let i = 0; i < runsPerPage + 3; i++) writeRunFiles(join(root, `run-${i}`), { rows: [] });
  const { ask } = await serve(root);
  const linksIn = (text: string) => text.match(/<a href="\/run/g)?.length;
  const [first, second] = [await ask("/"), await ask("/?page=2")];
  expect([linksIn(first.text), linksIn(second.text)]).toEqual([runsPerPage, 3]);
  expect(first.text).toContain("Page 1 of 2.");
  expect(linksIn((await ask("/?page=99")).text)).toBe(3);
});

test("several runs are compared; an ablation has its arms, also those that wait", async () => {
  const root = temporaryFolder();
  for (const name of ["a", "b"]) writeRunFiles(join(root, name), { config: { name } });
  const folder = join(root, "abl");
  writeRunFiles(join(folder, "stages/x"));
  const plan = {
    name: "abl",
    baseline: "slow",
    claim: { text: "Fast wins." },
    arms: [{ name: "slow" }, { name: "fast" }],
  };
  writeFileSync(join(folder, "ablation.json"), JSON.stringify(plan));
  const { ask } = await serve(root);
  expect((await ask("/compare?path=a&path=b")).text).toContain("What differs");
  expect((await ask("/")).text).toContain('<a href="/ablation?path=abl">abl</a>');
  // Of an earlier version: what runs where is not written down.
  expect((await ask("/ablation?path=abl")).text).toContain('href="/run?path=abl%2Fstages%2Fx"');
  const cells = [
    { arm: "slow", seed: 1, folder: "stages/x" },
    { arm: "fast", seed: 1, folder: "stages/y" },
    { arm: "fast", seed: 2, folder: "../../../etc" },
  ];
  writeFileSync(join(folder, "cells.json"), JSON.stringify(cells));
  const { text } = await ask("/ablation?path=abl");
  expect(text).toContain("Fast wins.");
  expect(text.match(/waiting/g)).toHaveLength(2);
  expect(text).toContain("<h3>Loss: heldOut.loss</h3>");
  expect(text).toMatch(/slow<\/span> <b>2<\/b>/);
  writeFileSync(
    join(folder, "results.json"),
    JSON.stringify({ verdict: { claim: "c", result: "supported" } }),
  );
  expect((await ask("/ablation?path=abl")).text).toContain("<b>supported</b>");
});

describe("nothing is given away", () => {
  test("to pages of other sites, under other names, or for writing", async () => {
    const { ask, url } = await serve(temporaryFolder());
    const host = new URL(url).host;
    const statusOf = async (headers: Record<string, string>, method?: string) =>
      (await ask("/", headers, method)).status;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ host: `localhost:${new URL(url).port}` })).toBe(200);
    expect(await statusOf({ host: "evil.example" })).toBe(403);
    expect(await statusOf({ host: "127.0.0.1" })).toBe(403);
    expect(await statusOf({ origin: `http://${host}` })).toBe(200);
    expect(await statusOf({ origin: "http://evil.example" })).toBe(403);
    expect(await statusOf({ origin: "null" })).toBe(403);
    expect(await statusOf({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await statusOf({}, "POST")).toBe(405);
    expect(
      refusalOf({ method: "HEAD", headers: { host } }, Number(new URL(url).port)),
    ).toBeUndefined();
  });

  test("of what lies outside of the folder, by dots, links or zeros", async () => {
    const folder = temporaryFolder();
    writeRunFiles(join(folder, "secret"));
    const root = join(folder, "runs");
    writeRunFiles(join(root, "mine"));
    writeRunFiles(join(folder, "runs-too"));
    symlinkSync(join(folder, "secret"), join(root, "link"));
    const { ask } = await serve(root);
    const paths = [
      "../secret",
      "mine/../../secret",
      "/../secret",
      "link",
      "../runs-too",
      "mine%00",
      "none",
      "",
    ];
    for (const path of paths) {
      for (const page of ["run", "compare", "ablation"]) {
        expect((await ask(`/${page}?path=${path}`)).status, `${page} ${path}`).toBe(404);
      }
    }
    for (const path of ["/mine/config.json", "/run", "/etc/passwd", "/run?path=mine&x=1#y"]) {
      expect((await ask(path)).text).not.toContain('"trainer"');
    }
    expect((await ask("/run?path=mine")).status).toBe(200);
  });

  test("of keys in configs, and no page may be framed, kept or load anything", async () => {
    const root = temporaryFolder();
    writeRunFiles(join(root, "a"), { config: { teacher: { apiKey: "sk-123" } } });
    const { ask } = await serve(root);
    const { text, headers } = await ask("/run?path=a");
    expect(text).not.toContain("sk-123");
    expect(headers).toMatchObject({ "cache-control": "no-store", "x-frame-options": "DENY" });
    expect(text).toMatch(/default-src &#39;none&#39;.*connect-src &#39;self&#39;/);
  });
});

test("a page is told of what changes, and of what is gone", async () => {
  const root = temporaryFolder();
  const run = writeRunFiles(join(root, "a"));
  const { url, ask } = await serve(root);
  const told: string[] = [];
  const events = get(new URL("/events?of=/run&path=a", url), (response) => {
    response.on("data", (chunk: Buffer) => told.push(chunk.toString()));
  });
  onTestFinished(() => void events.destroy());
  const changes = () => told.join("").split("data: ").length - 1;
  const until = async (count: number) => {
    while (changes() < count) await new Promise((done) => setTimeout(done, 10));
  };
  await until(1);
  writeFileSync(join(run, "summary.json"), "{}");
  await until(2);
  rmSync(run, { recursive: true });
  await until(3);
  expect((await ask("/sections?of=/run&path=a")).status).toBe(404);
});

test("a run that cannot be read is said to be so, the others are shown", async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "bad/checkpoints"), { recursive: true });
  writeFileSync(join(root, "bad/config.json"), "{");
  writeRunFiles(join(root, "good"));
  const { ask } = await serve(root);
  const { text } = await ask("/");
  expect(text).toContain('<span class="chip broken">broken</span>');
  expect(text).toContain('href="/run?path=good"');
  expect(await ask("/run?path=bad")).toMatchObject({
    status: 500,
    text: expect.stringContaining("not valid JSON"),
  });
});

test("a port that is taken is said to be", async () => {
  const { url } = await serve(temporaryFolder());
  const port = Number(new URL(url).port);
  await expect(serveView({ folder: ".", port })).rejects.toThrow(
    /^port: The port \d+ cannot be used \(EADDRINUSE\)/,
  );
});
