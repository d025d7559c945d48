import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

// #region isolation
/** Threads of the CPU engine share memory, which browsers allow only to pages with these headers. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
// #endregion

/** The model folder that the page loads by URL; a site of its own would keep it in `public/teacher`. */
const teacher = fileURLToPath(new URL("../quickstart/teacher", import.meta.url));

function serveTeacher(): Plugin {
  return {
    name: "serve-teacher",
    configureServer({ middlewares }) {
      middlewares.use("/teacher", (request, response, next) => {
        const name = (request.url ?? "").replace(/^\/|\?.*$/g, "");
        if (!readdirSync(teacher).includes(name)) return next();
        response.end(readFileSync(join(teacher, name)));
      });
    },
    generateBundle() {
      for (const name of readdirSync(teacher)) {
        const source = readFileSync(join(teacher, name));
        this.emitFile({ type: "asset", fileName: `teacher/${name}`, source });
      }
    },
  };
}

// #region config
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // The page may lie in any folder of a site.
  base: "./",
  plugins: [serveTeacher()],
  worker: { format: "es" },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: { outDir: "dist", emptyOutDir: true },
});
// #endregion
