import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { greedyText, loadDisposable, saveBoth } from "../../setup/models/onnx-models.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { largestDifference, logitsOf } from "../../unit/models/tiny-models.js";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const isSkipped = browser === undefined || process.env["PUPIL_SLOW_TESTS"] !== "1";

const transformers = dirname(fileURLToPath(import.meta.resolve("@xenova/transformers")));
const runtime = join(transformers, "..", "..", "..", "onnxruntime-web", "dist");

const prompts = ["1+2=", "12+3=1", "7"];

/** The page of `docs/onnx.md`, which sends what it found to the server. */
const page = (device: string) => `<!doctype html><script type="module">
const send = (value) => fetch("/result", { method: "POST", body: JSON.stringify(value) });
try {
  const { env, pipeline, Tensor } = await import("/transformers/transformers.js");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  env.backends.onnx.wasm.wasmPaths = "/runtime/";
  const generate = await pipeline("text-generation", "student", { device: "${device}" });
  const texts = [];
  for (const prompt of ${JSON.stringify(prompts)}) {
    const [output] = await generate(prompt, { max_new_tokens: 8, do_sample: false });
    texts.push(output.generated_text);
  }
  const int64 = (values) => new Tensor("int64", BigInt64Array.from(values.map(BigInt)), [1, 4]);
  const { logits } = await generate.model({
    input_ids: int64([1, 2, 3, 4]),
    attention_mask: int64([1, 1, 1, 1]),
  });
  await send({ texts, logits: [...logits.data] });
} catch (error) {
  await send({ error: String(error?.stack ?? error) });
}
</script>`;

const contentTypes: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

interface Result {
  readonly texts?: readonly string[];
  readonly logits?: readonly number[];
  readonly error?: string;
}

/** Serves the page, the libraries and a model; resolves to what the page sends. */
async function servePage(
  model: string,
  device: string,
): Promise<{ url: string; result: Promise<Result> }> {
  let finish: (result: Result) => void = () => {};
  const result = new Promise<Result>((resolve) => {
    finish = resolve;
  });
  const folders: Readonly<Record<string, string>> = {
    "/transformers/": transformers,
    "/runtime/": runtime,
    "/models/student/": model,
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/") return response.setHeader("content-type", "text/html").end(page(device));
    if (path === "/result") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      finish(JSON.parse(Buffer.concat(chunks).toString()) as Result);
      return response.end();
    }
    const folder = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = folder && join(folders[folder] as string, path.slice(folder.length));
    const bytes = file === undefined ? undefined : await readFile(file).catch(() => undefined);
    if (bytes === undefined) return response.writeHead(404).end();
    const type = contentTypes[extname(path)] ?? "application/octet-stream";
    return response.setHeader("content-type", type).end(bytes);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, result };
}

describe.skipIf(isSkipped)("in a browser (needs Chromium and PUPIL_SLOW_TESTS=1)", () => {
  // Without a GPU, Chromium computes WebGPU on the CPU.
  const software = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
  test.each<[string, string[], number]>([
    ["wasm", [], 1e-4],
    // Shaders have their own exp, cos and sin.
    ["webgpu", software, 5e-3],
  ])(
    "an export writes our greedy text and has our logits with %s",
    async (device, flags, tolerance) => {
      const folder = temporaryFolder();
      const paths = await saveBoth(folder);
      const { url, result } = await servePage(paths.onnx, device);
      const chromium = spawn(
        browser as string,
        [
          "--headless=new",
          "--no-sandbox",
          ...flags,
          `--user-data-dir=${join(folder, "profile")}`,
          url,
        ],
        { stdio: "ignore" },
      );
      const exited = new Promise((resolve) => chromium.once("exit", resolve));
      const found = await result;
      chromium.kill();
      await exited;
      expect(found.error).toBeUndefined();

      using ours = await loadDisposable(paths.model);
      expect(found.texts).toEqual(await greedyText(ours, prompts, 8));
      const expected = logitsOf(ours.model, [[1, 2, 3, 4]]).flat(2);
      expect(largestDifference(found.logits, expected)).toBeLessThan(tolerance);
    },
    120_000,
  );
});
