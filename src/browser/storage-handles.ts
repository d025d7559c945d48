/** What is used of the origin private file system, so that another can stand in for it. */
export interface StorageFolder {
  keys(): AsyncIterableIterator<string>;
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<StorageFolder>;
  getFileHandle(name: string, options?: { create?: boolean }): Promise<StorageFile>;
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>;
}

export interface StorageFile {
  getFile(): Promise<Blob>;
  /** Absent in some browsers, whose workers have the other. */
  createWritable?(): Promise<StorageWriter>;
  createSyncAccessHandle?(): Promise<StorageAccess>;
}

interface StorageWriter {
  write(data: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

interface StorageAccess {
  truncate(size: number): void;
  write(data: Uint8Array<ArrayBuffer>, options?: { at?: number }): number;
  flush(): void;
  close(): void;
}

/** What is used of `navigator`. */
export interface StorageNavigator {
  readonly storage?: {
    getDirectory?(): Promise<StorageFolder>;
    estimate?(): Promise<{ usage?: number; quota?: number }>;
  };
  readonly locks?: { request<T>(name: string, run: () => Promise<T>): Promise<T> };
}

export function webNavigator(): StorageNavigator {
  const { navigator } = globalThis as unknown as { navigator?: StorageNavigator };
  return navigator ?? {};
}

/** Writes a file in one piece, by the way that this browser has. */
export async function writeStorageFile(
  folder: StorageFolder,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const file = await folder.getFileHandle(name, { create: true });
  if (file.createWritable !== undefined) {
    const writer = await file.createWritable();
    await writer.write(bytes);
    return writer.close();
  }
  const access = await file.createSyncAccessHandle?.();
  if (access === undefined) {
    throw new Error("This browser writes files of its storage in workers only.");
  }
  try {
    access.truncate(0);
    for (let done = 0; done < bytes.length; ) {
      const written = access.write(bytes.subarray(done), { at: done });
      // Where there is no room, it takes less than it is given, or nothing.
      if (written === 0) throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
      done += written;
    }
    access.flush();
  } finally {
    access.close();
  }
}

/** What is named so, or undefined where nothing is. */
export async function orAbsent<T>(find: Promise<T>): Promise<T | undefined> {
  try {
    return await find;
  } catch (error) {
    if ((error as Error).name === "NotFoundError") return undefined;
    throw error;
  }
}
