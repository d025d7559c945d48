import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireEmptyFolder } from "../../../../src/node/files/require-empty-folder.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

test("an output is a folder that is empty or not there", async () => {
  const folder = temporaryFolder();
  await requireEmptyFolder(folder);
  await requireEmptyFolder(join(folder, "none"));
  writeFileSync(join(folder, "a"), "");
  await expect(requireEmptyFolder(folder)).rejects.toThrow(
    "The output folder is not empty (a). Give another folder",
  );
  await expect(requireEmptyFolder(join(folder, "a"))).rejects.toThrow(
    "The output is not a folder.",
  );
  for (const name of ["b", "c", "d"]) mkdirSync(join(folder, name));
  await expect(requireEmptyFolder(folder)).rejects.toThrow(/not empty \((\w, ){2}\w\)/);
});
