import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** The quickstart's teacher. */
export const teacherFolder = fileURLToPath(new URL("teacher", import.meta.url));

/** For Vite: the teacher as a folder beside a page, which fetches it from there. */
export function serveTeacher(): Plugin {
  return {
    name: "serve-teacher",
    configureServer({ middlewares }) {
      middlewares.use("/teacher", (request, response, next) => {
        const name = (request.url ?? "").replace(/^\/|\?.*$/g, "");
        if (!readdirSync(teacherFolder).includes(name)) return next();
        response.end(readFileSync(join(teacherFolder, name)));
      });
    },
    generateBundle() {
      for (const name of readdirSync(teacherFolder)) {
        const source = readFileSync(join(teacherFolder, name));
        this.emitFile({ type: "asset", fileName: `teacher/${name}`, source });
      }
    },
  };
}
