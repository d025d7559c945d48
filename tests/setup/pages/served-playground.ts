import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { buildPlayground, serveFolder, type Site } from "./playground-site.js";

/** The playground, built and served for the tests of the block that this is called in; gives its site once they run. */
export function playgroundSite(): () => Site {
  let site: Site | undefined;
  const built = mkdtempSync(join(tmpdir(), "pupil-playground-"));
  beforeAll(async () => {
    await buildPlayground(built);
    site = await serveFolder(built);
  }, 240_000);
  afterAll(async () => {
    await site?.close();
    rmSync(built, { recursive: true });
  });
  return () => site as Site;
}
