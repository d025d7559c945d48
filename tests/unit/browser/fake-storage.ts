import type { StorageFile, StorageFolder, StorageNavigator } from "../../../src/browser/index.js";

export interface FakeStorageOptions {
  /** Bytes that all files together may have. */
  readonly quota?: number;
  /** How files are written: as most browsers do, or as workers of others do. */
  readonly writes?: "writable" | "access" | "neither";
  /** Called before every write; throws in place of it. */
  readonly onWrite?: (file: string) => void;
}

/** The origin private file system in memory. */
export function fakeStorage({
  quota = Infinity,
  writes = "writable",
  onWrite = () => {},
}: FakeStorageOptions = {}): { navigator: StorageNavigator; usage: () => number } {
  const all = new Set<{ bytes: Uint8Array }>();
  const usage = () => [...all].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const notFound = (name: string) => Object.assign(new Error(name), { name: "NotFoundError" });
  const full = () => Object.assign(new Error("quota"), { name: "QuotaExceededError" });

  class File implements StorageFile {
    readonly content = { bytes: new Uint8Array() };
    readonly name: string;
    declare createWritable?: NonNullable<StorageFile["createWritable"]>;
    declare createSyncAccessHandle?: NonNullable<StorageFile["createSyncAccessHandle"]>;
    constructor(name: string) {
      this.name = name;
      all.add(this.content);
      if (writes === "writable") this.createWritable = () => Promise.resolve(this.writer());
      if (writes === "access") this.createSyncAccessHandle = () => Promise.resolve(this.access());
    }
    getFile(): Promise<Blob> {
      return Promise.resolve(new Blob([this.content.bytes]));
    }
    release(): void {
      all.delete(this.content);
    }
    private writer() {
      const pieces: Uint8Array[] = [];
      return {
        write: (data: Uint8Array<ArrayBuffer>) => {
          onWrite(this.name);
          if (usage() + data.length > quota) return Promise.reject(full());
          pieces.push(data.slice());
          return Promise.resolve();
        },
        // Until then readers see what there was.
        close: () => {
          this.content.bytes = new Uint8Array(Buffer.concat(pieces));
          return Promise.resolve();
        },
      };
    }
    private access() {
      return {
        truncate: (size: number) => {
          this.content.bytes = this.content.bytes.slice(0, size);
        },
        write: (data: Uint8Array<ArrayBuffer>, { at = 0 }: { at?: number } = {}) => {
          onWrite(this.name);
          // A piece at a time, as a disk may.
          const part = data.slice(0, Math.max(0, Math.min(1000, quota - usage())));
          const grown = new Uint8Array(Math.max(this.content.bytes.length, at + part.length));
          grown.set(this.content.bytes);
          grown.set(part, at);
          this.content.bytes = grown;
          return part.length;
        },
        flush: () => {},
        close: () => {},
      };
    }
  }

  class Folder implements StorageFolder {
    private readonly entries = new Map<string, File | Folder>();
    async *keys() {
      yield* this.entries.keys();
    }
    getDirectoryHandle(name: string, options: { create?: boolean } = {}) {
      return this.get(name, options, Folder);
    }
    getFileHandle(name: string, options: { create?: boolean } = {}) {
      return this.get(name, options, File);
    }
    removeEntry(name: string, { recursive = false }: { recursive?: boolean } = {}): Promise<void> {
      const entry = this.entries.get(name);
      if (entry === undefined) return Promise.reject(notFound(name));
      if (entry instanceof Folder && entry.entries.size > 0 && !recursive) {
        return Promise.reject(new Error("The folder is not empty."));
      }
      entry.release();
      this.entries.delete(name);
      return Promise.resolve();
    }
    release(): void {
      for (const entry of this.entries.values()) entry.release();
    }
    private get<T extends File | Folder>(
      name: string,
      { create = false }: { create?: boolean },
      kind: new (name: string) => T,
    ): Promise<T> {
      if (!this.entries.has(name)) {
        if (!create) return Promise.reject(notFound(name));
        this.entries.set(name, new kind(name));
      }
      return Promise.resolve(this.entries.get(name) as T);
    }
  }
  const root = new Folder();
  return {
    usage,
    navigator: {
      storage: {
        getDirectory: () => Promise.resolve(root),
        estimate: () => Promise.resolve({ usage: usage(), quota }),
      },
    },
  };
}
