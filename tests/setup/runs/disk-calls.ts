import { basename } from "node:path";
import { onTestFinished } from "vitest";
import { type Disk, replaceDisk } from "../../../src/node/files/disk.js";

/** A UUID is another one every time. */
const nameOf = (path: string) =>
  basename(path).replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/, "#");

/**
 * Every change of files until the test has finished, in order and in words; UUIDs are `#`.
 *
 * @param before what happens before a call; where it throws, the call fails
 */
export function diskCalls(before: (call: string) => void = () => {}): string[] {
  const calls: string[] = [];
  const note = (call: string) => {
    calls.push(call);
    before(call);
  };
  const noted = (real: Disk): Disk => ({
    makeFolder: async (path) => {
      note(`make ${nameOf(path)}`);
      await real.makeFolder(path);
    },
    open: async (path, flags) => {
      note(`open ${nameOf(path)} ${flags}`);
      const file = await real.open(path, flags);
      return {
        write: async (bytes) => {
          note(`write ${nameOf(path)} ${bytes.length}`);
          return file.write(bytes);
        },
        sync: async () => {
          note(`sync ${nameOf(path)}`);
          await file.sync();
        },
        close: async () => {
          calls.push(`close ${nameOf(path)}`);
          await file.close();
        },
      };
    },
    rename: async (from, to) => {
      note(`rename ${nameOf(from)} ${nameOf(to)}`);
      await real.rename(from, to);
    },
    truncate: async (path, length) => {
      note(`truncate ${nameOf(path)} ${length}`);
      await real.truncate(path, length);
    },
    remove: async (path) => {
      note(`remove ${nameOf(path)}`);
      await real.remove(path);
    },
  });
  onTestFinished(replaceDisk(noted));
  return calls;
}

/** An error as a file system gives it. */
export const diskError = (code: string): Error => Object.assign(new Error(code), { code });
