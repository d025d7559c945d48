import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadModel, zipFiles, zipFolder, zipModel } from "../../../src/browser/index.js";
import { loadModelFolder } from "../../../src/node/index.js";
import { temporaryFolder } from "../../setup/temporary-folder.js";
import { logitsOf } from "../models/tiny-models.js";
import { rows, smallFolder, smallModel, tokenizer } from "./model-on-hand.js";

/** A zip of files by path, as another program makes it. */
async function zipped(files: ReadonlyMap<string, Uint8Array | string>): Promise<Blob> {
  const { BlobWriter, Uint8ArrayReader, ZipWriter } = await import("@zip.js/zip.js");
  const writer = new ZipWriter(new BlobWriter("application/zip"), { useWebWorkers: false });
  for (const [name, content] of files) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await writer.add(name, new Uint8ArrayReader(bytes));
  }
  return writer.close();
}

/** The small folder in a folder of the zip. */
async function inFolder(prefix: string): Promise<Map<string, Uint8Array | string>> {
  return new Map([...(await smallFolder())].map(([name, bytes]) => [prefix + name, bytes]));
}

async function messageOf(zip: Blob, options: { name?: string; folder?: string } = {}) {
  const loading = zipFolder(zip, { name: "mine.zip", ...options }).then((folder) =>
    loadModel(folder),
  );
  const error = await loading.then(
    ({ model }) => {
      model.dispose();
      throw new Error("It was loaded.");
    },
    (thrown: unknown) => thrown as Error,
  );
  expect(error.name).toBe("PupilError");
  return error.message;
}

async function expectSmallModel(zip: Blob, folder?: string): Promise<void> {
  using original = smallModel();
  const { model, tokenizer: own } = await loadModel(
    await zipFolder(zip, folder === undefined ? {} : { folder }),
  );
  using loaded = model;
  expect(logitsOf(loaded, rows)).toEqual(logitsOf(original, rows));
  expect(own.fingerprint).toBe(tokenizer.fingerprint);
}

describe("a zip to be downloaded", () => {
  test.each([1e9, 4000])("is read again (at most %d bytes in a file)", async (maxShardBytes) => {
    using model = smallModel();
    const zip = await zipModel(model, tokenizer, { folder: "student", maxShardBytes });
    expect(zip.type).toBe("application/zip");
    await expectSmallModel(zip);
    // What was read can be zipped again.
    await expectSmallModel(await zipFiles(await zipFolder(zip), "again"));
  });

  const python = ["/opt/venv/bin/python", "/usr/bin/python3"].find(existsSync);
  test.skipIf(python === undefined)(
    "unpacks to a folder of that name that is loaded from disk (needs Python)",
    async () => {
      using model = smallModel();
      const folder = temporaryFolder();
      const file = join(folder, "student.zip");
      const zip = await zipModel(model, tokenizer, { folder: "student", dtype: "float16" });
      writeFileSync(file, new Uint8Array(await zip.arrayBuffer()));
      execFileSync(python as string, ["-m", "zipfile", "-t", file]);
      execFileSync(python as string, ["-m", "zipfile", "-e", file, folder]);
      expect(readdirSync(join(folder, "student")).sort()).toEqual([
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ]);
      expect(readFileSync(join(folder, "student/config.json"), "utf8")).toContain('"float16"');
      using loaded = (await loadModelFolder(join(folder, "student"))).model;
      expect(loaded.config).toEqual(model.config);
    },
  );

  test.each(["", "a/b", "..", "con:"])("refuses the folder %j", async (folder) => {
    using model = smallModel();
    await expect(zipModel(model, tokenizer, { folder })).rejects.toThrow(/^zipModel: folder: /);
  });
});

describe("a zip that somebody chose", () => {
  test.each(["", "model/", "downloads/my model/"])("may have the folder %j", async (prefix) => {
    await expectSmallModel(await zipped(await inFolder(prefix)));
  });

  test("may have what macOS adds, an ONNX export inside and files beside", async () => {
    const files = await inFolder("m/");
    files.set("__MACOSX/m/._config.json", "resource");
    files.set("__MACOSX/m/config.json", "{}");
    files.set("m/.DS_Store", "x");
    files.set("m/onnx/config.json", "{}");
    files.set("readme.md", "hello");
    await expectSmallModel(await zipped(files));
  });

  test("with several models asks which", async () => {
    const files = new Map([...(await inFolder("a/step-1/")), ...(await inFolder("a/step-2/"))]);
    const zip = await zipped(files);
    expect(await messageOf(zip)).toMatch(
      /mine\.zip: The zip holds 2 model folders\. .*"a\/step-1", "a\/step-2"/,
    );
    await expectSmallModel(zip, "a/step-2");
    expect(await messageOf(zip, { folder: "a/step-3" })).toMatch(
      /no model folder "a\/step-3"\. Those with a config\.json: "a\/step-1", "a\/step-2"/,
    );
  });

  test.each([
    ["config.json", /mine\.zip: The zip holds no config\.json.*m\/model\.safetensors/],
    ["tokenizer.json", /mine\.zip\/m: The folder holds no tokenizer\. It needs a tokenizer\.json/],
    ["model.safetensors", /mine\.zip\/m\/model\.safetensors: The weights file does not exist/],
  ])("without %s is refused by that name", async (name, expected) => {
    const files = await inFolder("m/");
    files.delete(`m/${name}`);
    expect(await messageOf(await zipped(files))).toMatch(expected);
  });

  test("without one of several files of weights names it", async () => {
    const all = await smallFolder({ maxShardBytes: 4000 });
    all.delete("model-00002-of-00003.safetensors");
    expect(await messageOf(await zipped(all))).toMatch(
      /mine\.zip\/model-00002-of-00003\.safetensors: The shard that .* is missing\. The folder has config/,
    );
  });

  test("with a file of something else names it", async () => {
    const files = await inFolder("m/");
    files.set("m/model.safetensors", "<!DOCTYPE html><html>404</html>");
    expect(await messageOf(await zipped(files))).toMatch(
      /mine\.zip\/m\/model\.safetensors: It is an HTML page in the place of the weights file/,
    );
    files.set("m/model.safetensors", "not weights at all");
    expect(await messageOf(await zipped(files))).toMatch(/m\/model\.safetensors: .*safetensors/);
  });

  test("with a changed byte is refused by its checksum", async () => {
    const zip = await zipped(await inFolder("m/"));
    const bytes = new Uint8Array(await zip.arrayBuffer());
    // Within the first file's packed bytes.
    bytes[60] = (bytes[60] as number) ^ 0xff;
    expect(await messageOf(new Blob([bytes]))).toMatch(/mine\.zip\/m\/.* cannot be unpacked \(/);
  });

  test.each([
    ["no zip", async () => new Blob(["hello, this is a text and not a zip of anything at all"])],
    ["an empty file", async () => new Blob([])],
    [
      "half of one",
      async () => {
        const zip = await zipped(await inFolder("m/"));
        return zip.slice(0, Math.floor(zip.size / 2));
      },
    ],
  ])("that is %s is refused", async (_, make) => {
    expect(await messageOf(await make())).toMatch(/^mine\.zip: It is no zip, or not the whole/);
  });

  test("that is encrypted is refused", async () => {
    const { BlobWriter, TextReader, ZipWriter } = await import("@zip.js/zip.js");
    const options = { useWebWorkers: false, password: "secret" };
    const writer = new ZipWriter(new BlobWriter(), options);
    await writer.add("config.json", new TextReader("{}"));
    expect(await messageOf(await writer.close())).toContain(
      "mine.zip/config.json: It is encrypted.",
    );
  });

  test("has the name of its file in messages", async () => {
    const file = new File([await zipped(new Map([["a.txt", "a"]]))], "upload.zip");
    await expect(zipFolder(file)).rejects.toThrow(/^upload\.zip: The zip holds no config\.json/);
    await expect(zipFolder(await zipped(new Map()))).rejects.toThrow(
      /^the zip: .*It holds no files/,
    );
  });
});
