import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { LogFollower } from "../logs/follow-log.js";
import { heatScript } from "../pages/heat-script.js";
import { type Html, html } from "../pages/html.js";
import { pageOf } from "../pages/page.js";
import { viewRun } from "../pages/run-view.js";
import { type Section, sectionsOf } from "../pages/sections.js";
import { ablationSections, cellsOf } from "./ablation-page.js";
import { listSections, shownPlaces } from "./list-page.js";
import { liveScript } from "./live-script.js";
import { changedAt, findPlaces, folderAt } from "./places.js";

/** What an address asks for, as a page and as what it is made of. */
export interface ViewedPage {
  readonly title: string;
  /** Where it stands among the other pages. */
  readonly about: Html;
  sections(): Promise<Section[]>;
  /** Is another one when something of it has changed. */
  mark(): Promise<string>;
}

export interface PageContext {
  readonly root: string;
  /** Followers of logs, which are kept from one look to the next. */
  followerOf(log: string): LogFollower;
}

/** Runs that are compared on one page, at most. */
const mostCompared = 8;

/** The page of an address; undefined where there is none, or what it shows is gone. */
export async function findPage(
  { root, followerOf }: PageContext,
  path: string,
  query: URLSearchParams,
): Promise<ViewedPage | undefined> {
  const back = html`<a href="/">All runs</a>`;
  if (path === "/") return listPage(root, query);
  const folders: string[] = [];
  for (const asked of query.getAll("path").slice(0, mostCompared)) {
    const folder = await folderAt(root, asked);
    if (folder !== undefined) folders.push(folder);
  }
  const [first] = folders;
  if (first === undefined) return undefined;
  if (path === "/ablation") {
    if ((await changedAt(join(first, "ablation.json"))) === 0) return undefined;
    return {
      ...{ title: basename(first), about: back },
      sections: () => ablationSections(root, first, followerOf),
      mark: async () => {
        const plans = ["cells.json", "results.json"].map((name) => join(first, name));
        const logs = (await cellsOf(first)).map(({ folder }) =>
          join(first, folder, "metrics.jsonl"),
        );
        return (await Promise.all([...plans, ...logs].map(changedAt))).join(" ");
      },
    };
  }
  if (path !== "/run" && path !== "/compare") return undefined;
  for (const folder of folders) {
    if ((await changedAt(join(folder, "config.json"))) === 0) return undefined;
  }
  return {
    ...{ title: folders.map((folder) => basename(folder)).join(", "), about: back },
    sections: async () => {
      const runs = [];
      for (const folder of folders) {
        runs.push(await viewRun(folder, followerOf(join(folder, "metrics.jsonl"))));
      }
      return sectionsOf(runs);
    },
    mark: () => marksOf(filesOf, folders),
  };
}

const filesOf = (folder: string) =>
  ["metrics.jsonl", "traces.jsonl", "config.json", "summary.json", "run.lock"].map((name) =>
    join(folder, name),
  );

async function marksOf(files: (folder: string) => string[], folders: readonly string[]) {
  return (await Promise.all(folders.flatMap(files).map(changedAt))).join(" ");
}

async function listPage(root: string, query: URLSearchParams): Promise<ViewedPage> {
  const asked = { filter: query.get("q") ?? "", page: Number(query.get("page") ?? 1) || 1 };
  const about = html`<form class="search" action="/"><label>Path has <input name="q" value="${asked.filter}"></label><button class="button">Show</button></form>`;
  return {
    ...{ title: `Runs in ${basename(root)}`, about },
    sections: async () => listSections(root, await findPlaces(root), asked),
    mark: async () => {
      const { runs, count, ablations } = shownPlaces(await findPlaces(root), asked);
      const marks = await Promise.all(
        runs.map(async ({ path, changed }) => {
          const [lock, summary] = ["run.lock", "summary.json"].map((name) =>
            join(root, path, name),
          );
          return `${path} ${changed} ${(await changedAt(lock as string)) > 0} ${await changedAt(summary as string)}`;
        }),
      );
      return [count, ablations.length, ...marks].join(" ");
    },
  };
}

/** The mark of a page as few characters. */
export async function shortMark({ mark }: Pick<ViewedPage, "mark">): Promise<string> {
  return createHash("sha256")
    .update(await mark())
    .digest("base64url")
    .slice(0, 16);
}

/** The whole page, live. */
export async function htmlOf(page: ViewedPage): Promise<string> {
  const { title, about, sections } = page;
  // Before the page is made, so that what changes meanwhile is told.
  const mark = await shortMark(page);
  const live = html`<span class="note">State: <span data-live data-mark="${mark}" role="status">live</span></span>`;
  return pageOf({
    title,
    about: html`${about} ${live}`,
    sections: await sections(),
    ...{ scripts: [heatScript, liveScript], isServed: true },
  });
}
