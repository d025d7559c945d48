import type { ChosenFile } from "pupil/browser";

/** More files than a model folder has: somebody chose another folder. */
const mostFiles = 500;

/** Files that a visitor chose or dropped, and how they are called together. */
export interface ChosenFiles {
  readonly name: string;
  readonly files: readonly ChosenFile[];
}

/** What a field for files holds. */
export function filesOf(input: HTMLInputElement): ChosenFiles | undefined {
  const files = [...(input.files ?? [])].map((file) => ({
    path: file.webkitRelativePath || file.name,
    content: file,
  }));
  return named(files);
}

/**
 * What was dropped: files, and those of folders.
 *
 * @throws Error in words for a folder with more files than a model has
 */
export async function filesDropped(dropped: DataTransfer): Promise<ChosenFiles | undefined> {
  // The list is empty after the event, so that everything is asked for at once.
  const items = [...dropped.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files: ChosenFile[] = [];
  const add = (path: string, content: File) => {
    files.push({ path, content });
    if (files.length <= mostFiles) return;
    throw new Error(`More than ${mostFiles} files were dropped: drop the model's own folder.`);
  };
  for (const { entry, file } of items) {
    if (entry !== null) await eachFile(entry, add);
    else if (file !== null) add(file.name, file);
  }
  return named(files);
}

/** Calls with every file below an entry, with its path from there. */
async function eachFile(
  entry: FileSystemEntry,
  found: (path: string, content: File) => void,
): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (isFile(entry)) {
    found(path, await new Promise<File>((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const one of some) await eachFile(one, found);
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

function named(files: readonly ChosenFile[]): ChosenFiles | undefined {
  const [first] = files;
  if (first === undefined) return undefined;
  const [top = ""] = first.path.split("/");
  return { name: files.length === 1 || first.path.includes("/") ? top : "the files", files };
}
