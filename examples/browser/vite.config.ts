import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { serveTeacher } from "../quickstart/serve-teacher.js";

// #region isolation
/** Threads of the CPU engine share memory, which browsers allow only to pages with these headers. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
// #endregion

// #region config
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // The page may lie in any folder of a site.
  base: "./",
  // The model folder that the page loads by URL; a site of its own would keep it in `public/teacher`.
  plugins: [serveTeacher()],
  worker: { format: "es" },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: { outDir: "dist", emptyOutDir: true },
});
// #endregion
