import { PupilError } from "../errors/index.js";

/** Files of macOS that lie beside those that somebody packed or dropped. */
export const isOfMac = (path: string): boolean => /(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(path);

export interface PrefixOptions {
  /** How errors call where the files are: `the zip`. */
  readonly what: string;
  /** Its name. */
  readonly name: string;
  /** The folder that is wanted, where it holds several. */
  readonly wanted?: string | undefined;
}

/**
 * Where among paths a model folder lies: its folder with a slash at the end, "" for the top.
 *
 * @throws PupilError where there is none or several
 */
export function modelPrefix(
  paths: readonly string[],
  { what, name, wanted }: PrefixOptions,
): string {
  const marks = ["config.json", "adapter_config.json"];
  const isMark = (path: string) => marks.includes(path.slice(path.lastIndexOf("/") + 1));
  const folders = [
    ...new Set(paths.filter(isMark).map((path) => path.slice(0, path.lastIndexOf("/") + 1))),
  ];
  if (wanted !== undefined) {
    const prefix = wanted === "" ? "" : `${wanted.replace(/\/$/, "")}/`;
    if (folders.includes(prefix)) return prefix;
    throw new PupilError(`The ${what} has no model folder "${wanted}".`, {
      field: name,
      value: wanted,
      remedy: `Those with a config.json: ${shown(folders)}.`,
    });
  }
  // What lies in a model's own folder (`onnx/config.json`) is part of it.
  const outer = folders.filter(
    (prefix) => !folders.some((other) => other !== prefix && prefix.startsWith(other)),
  );
  const [only, ...others] = outer;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    throw new PupilError(`The ${what} holds no config.json, so no model folder.`, {
      field: name,
      value: paths,
      remedy: `It holds ${paths.length === 0 ? "no files" : paths.slice(0, 20).join(", ")}. Give a Hugging Face model folder.`,
    });
  }
  throw new PupilError(`The ${what} holds ${outer.length} model folders.`, {
    field: name,
    value: outer,
    remedy: `Say which with the option folder: ${shown(outer)}.`,
  });
}

function shown(folders: readonly string[]): string {
  if (folders.length === 0) return "none";
  return folders.map((folder) => JSON.stringify(folder.slice(0, -1))).join(", ");
}
