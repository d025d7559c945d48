/**
 * Draws random tokenizers, chat templates or checkpoints, and compares what comes out with Python, the reference.
 *
 *     npm run differential -- tokenizers                   200 tokenizers on 65 texts, drawn by seed 1
 *     npm run differential -- templates seed=7 count=5000  so many templates of another draw
 *     npm run differential -- checkpoints                  100 models of all families
 *
 * Needs Python with tokenizers, transformers and jinja2, for checkpoints torch (PUPIL_PYTHON, or python3). Right is
 * the same ids and texts, logits to rounding, or a refusal by name; a refusal of what Python takes is counted. Exit code 1 if something differs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Comparison } from "./comparison.js";
import { compareCheckpoints } from "./compare-checkpoints.js";
import { compareTemplates } from "./compare-templates.js";
import { compareTokenizers } from "./compare-tokenizers.js";

const kinds: Record<
  string,
  { count: string; compare: (made: string) => Comparison | Promise<Comparison> }
> = {
  tokenizers: { count: "200", compare: compareTokenizers },
  templates: { count: "3000", compare: compareTemplates },
  checkpoints: { count: "100", compare: compareCheckpoints },
};

const [name = "", ...options] = process.argv.slice(2);
const kind = kinds[name];
const given = Object.fromEntries(options.map((option) => option.split("=", 2)));
const { seed = "1", count = kind?.count ?? "", ...others } = given as Record<string, string>;
const isWhole = (text: string) => /^\d+$/.test(text);
if (kind === undefined || !isWhole(seed) || !isWhole(count) || Object.keys(others).length > 0) {
  console.error(
    `usage: npm run differential -- ${Object.keys(kinds).join("|")} [seed=1] [count=…]`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "pupil-differential-"));
try {
  const made = join(folder, "made.json");
  const script = fileURLToPath(new URL(`random_${name}.py`, import.meta.url));
  const python = process.env["PUPIL_PYTHON"] ?? "python3";
  // Panics of the Rust library, which such tokenizers are drawn anew for, go to stderr.
  const { status, error } = spawnSync(python, [script, seed, count, made], {
    stdio: ["ignore", "inherit", process.env["VERBOSE"] === undefined ? "ignore" : "inherit"],
  });
  if (status !== 0) {
    console.error(`${python} ${script} failed${error === undefined ? "" : `: ${error.message}`}.`);
    console.error(
      "It needs tokenizers, transformers and jinja2, and torch; VERBOSE=1 shows what it says.",
    );
    process.exit(2);
  }
  const { same, refused, differing } = await kind.compare(readFileSync(made, "utf8"));
  console.log(`${same} the same, ${differing.length} not`);
  for (const [reason, times] of [...refused].sort((a, b) => b[1] - a[1])) {
    console.log(`refused here alone, ${times} times: ${reason}`);
  }
  for (const text of differing.slice(0, 20)) console.log(`\n${text}`);
  process.exitCode = differing.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
