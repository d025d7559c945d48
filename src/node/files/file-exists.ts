import { stat } from "node:fs/promises";

/** Whether there is a file or folder at the path that can be seen. */
export async function exists(path: string): Promise<boolean> {
  return (await infoOf(path)) !== undefined;
}

export async function isFile(path: string): Promise<boolean> {
  return (await infoOf(path))?.isFile() === true;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await infoOf(path))?.isDirectory() === true;
}

function infoOf(path: string) {
  return stat(path).catch(() => undefined);
}
