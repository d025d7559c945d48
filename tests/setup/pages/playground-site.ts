import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Builds the playground into a folder, as `npm run playground:build` does after compiling. */
export async function buildPlayground(folder: string): Promise<void> {
  // Of a test's own mode a build would be one for development.
  const { NODE_ENV: _mode, VITEST: _vitest, ...env } = process.env;
  const vite = spawn(
    process.execPath,
    ["node_modules/vite/bin/vite.js", "build", "playground", "--outDir", folder, "--emptyOutDir"],
    { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [vite.stdout, vite.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise((resolve) => vite.once("exit", resolve));
  if (code !== 0) throw new Error(`The playground was not built:\n${output}`);
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".safetensors": "application/octet-stream",
};

export interface Site {
  readonly url: string;
  /** What it serves. */
  readonly folder: string;
  /** Paths that were asked for, below the site's own. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Serves a folder below a path, as any web server would: no header but the type. */
export async function serveFolder(folder: string, below = "/some/where/"): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = normalize(decodeURIComponent(pathname));
    const file = path.startsWith(below) ? path.slice(below.length) || "index.html" : undefined;
    const answer = async () => {
      asked.push(String(file));
      const bytes = file && (await readFile(join(folder, file)).catch(() => undefined));
      if (bytes === undefined || bytes === "") return response.writeHead(404).end();
      const type = contentTypes[extname(file as string)] ?? "application/octet-stream";
      return response.setHeader("content-type", type).end(bytes);
    };
    void answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${below}`,
    folder,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
