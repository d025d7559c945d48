import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { serveTeacher, teacherFolder } from "../examples/quickstart/serve-teacher.js";

const place = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Headers with which the engine has threads. A server that does not send them gets one thread. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The registry as data: the page has its forms before the engine is loaded. */
function catalogPlugin(): Plugin {
  const id = "virtual:catalog";
  return {
    name: "pupil-catalog",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    async load(source) {
      if (source !== `\0${id}`) return undefined;
      const { model } = JSON.parse(readFileSync(join(teacherFolder, "tokenizer.json"), "utf8")) as {
        model: { vocab: object };
      };
      const characters = Object.keys(model.vocab).filter((text) => text.length === 1);
      const { makeCatalog } = await import("./src/training/catalog.js");
      return `export const catalog = ${JSON.stringify(makeCatalog(characters.join("")))};`;
    },
  };
}

export default defineConfig({
  root: place("."),
  // Relative: the build works below any path of any server.
  base: "./",
  plugins: [catalogPlugin(), serveTeacher()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // What the worker imports is found before the page is, which else would be loaded a second time.
  optimizeDeps: { entries: ["index.html", "src/training/worker.ts"] },
  server: { headers, fs: { allow: [place("..")] } },
  preview: { headers },
  worker: { format: "es" },
  build: {
    outDir: place("dist"),
    emptyOutDir: true,
    target: "es2022",
    // Small ones would become part of the code, and wasm is compiled while it is fetched.
    assetsInlineLimit: 0,
  },
});
