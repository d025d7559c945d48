import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../src", import.meta.url));

/** Folder → folders it may import. The picture of docs/design.md, section 2. */
const core = ["errors", "tensors", "ops"];
const parts = [...core, "losses", "models", "optim", "data"];
const runtime = [...parts, "rollouts", "teachers", "trainers"];
const allowed: Record<string, readonly string[]> = {
  errors: [],
  tensors: ["errors"],
  backend: ["errors", "tensors", "ops"],
  ops: ["errors", "tensors"],
  losses: core,
  models: core,
  optim: core,
  data: core,
  folders: parts,
  statistics: ["errors", "tensors"],
  rollouts: parts,
  teachers: [...parts, "rollouts"],
  trainers: [...parts, "rollouts", "teachers"],
  config: runtime,
  methods: [...runtime, "statistics", "config"],
  node: [...runtime, "folders", "statistics", "config", "methods", "backend"],
  browser: [...runtime, "folders", "backend"],
  api: [
    ...runtime,
    ...["folders", "statistics", "config", "methods", "backend", "browser", "node", "cli"],
  ],
  cli: [...runtime, "statistics", "config", "methods", "backend", "node"],
};

interface Import {
  readonly file: string;
  readonly specifier: string;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.includes("/assembly/"))
  .map((name) => join(root, name));

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(file, "utf8");
  const pattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    specifier: (match[1] ?? match[2]) as string,
  }));
});

const folderOf = (file: string) => relative(root, file).split("/")[0] as string;
const name = ({ file, specifier }: Import) => `${relative(root, file)} imports ${specifier}`;
const relativeImports = imports.filter(({ specifier }) => specifier.startsWith("."));
const target = ({ file, specifier }: Import) => resolve(dirname(file), specifier);

describe("imports", () => {
  test("were found", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(relativeImports.length).toBeGreaterThan(100);
  });

  test("go one way between folders", () => {
    const breaches = relativeImports.filter((entry) => {
      const from = folderOf(entry.file);
      const to = folderOf(target(entry));
      if (from === "index.ts" || from === to) return false;
      return !(allowed[from] ?? []).includes(to);
    });
    expect(breaches.map(name)).toEqual([]);
  });

  test("cross a folder only through its index", () => {
    const breaches = relativeImports.filter((entry) => {
      const to = target(entry);
      if (folderOf(to) === folderOf(entry.file)) return false;
      return relative(root, to) !== `${folderOf(to)}/index.js`;
    });
    expect(breaches.map(name)).toEqual([]);
  });

  test("of node:* stay in src/node and src/cli", () => {
    const breaches = imports.filter(
      (entry) =>
        entry.specifier.startsWith("node:") && !["node", "cli"].includes(folderOf(entry.file)),
    );
    expect(breaches.map(name)).toEqual([]);
  });

  test("of tfjs stay out of the shell", () => {
    const shell = ["config", "cli", "errors"];
    const breaches = imports.filter(
      (entry) => entry.specifier.startsWith("@tensorflow") && shell.includes(folderOf(entry.file)),
    );
    expect(breaches.map(name)).toEqual([]);
  });

  test("have no cycles between files", () => {
    const graph = new Map<string, string[]>();
    for (const entry of relativeImports) {
      const to = target(entry).replace(/\.js$/, ".ts");
      graph.set(entry.file, [...(graph.get(entry.file) ?? []), to]);
    }
    const done = new Set<string>();
    const walk = (file: string, trail: readonly string[]): string | undefined => {
      if (trail.includes(file)) {
        return [...trail.slice(trail.indexOf(file)), file]
          .map((f) => relative(root, f))
          .join(" → ");
      }
      if (done.has(file)) return undefined;
      for (const next of graph.get(file) ?? []) {
        const cycle = walk(next, [...trail, file]);
        if (cycle) return cycle;
      }
      done.add(file);
      return undefined;
    };
    const cycles = files.map((file) => walk(file, [])).filter((cycle) => cycle !== undefined);
    expect(cycles).toEqual([]);
  });
});
