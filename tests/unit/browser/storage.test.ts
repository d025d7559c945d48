import { describe, expect, test } from "vitest";
import {
  loadModel,
  removeStoredModel,
  storedFolder,
  storedModels,
  storeFolder,
  storeModel,
  zipFolder,
  zipModel,
} from "../../../src/browser/index.js";
import { Random } from "../../../src/tensors/index.js";
import { initializeDecoder } from "../../../src/models/index.js";
import { logitsOf } from "../models/tiny-models.js";
import { fakeStorage } from "./fake-storage.js";
import { rows, smallModel, tokenizer } from "./model-on-hand.js";

const files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

describe.each(["writable", "access"] as const)("with files written by %s", (writes) => {
  test("a model is kept, listed, read and removed", async () => {
    const { navigator, usage } = fakeStorage({ writes });
    using model = smallModel();
    expect(await storedModels({ navigator })).toEqual([]);
    const stored = await storeModel("student", model, tokenizer, { navigator });
    expect(stored.files).toEqual(files);
    expect(await storedModels({ navigator })).toEqual([stored]);
    expect(usage()).toBeGreaterThan(stored.bytes);

    const folder = await storedFolder("student", { navigator });
    expect(folder.name).toBe("pupil-models/student");
    const { model: again, tokenizer: own } = await loadModel(folder);
    using loaded = again;
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(model, rows));
    expect(own.fingerprint).toBe(tokenizer.fingerprint);

    await removeStoredModel("student", { navigator });
    expect(await storedModels({ navigator })).toEqual([]);
    expect(usage()).toBe(0);
  });

  test("a full disk is said in numbers, and what there was stays", async () => {
    const { navigator, usage } = fakeStorage({ writes, quota: 20_000 });
    using model = smallModel();
    await storeModel("student", model, tokenizer, { navigator });
    const before = usage();
    using larger = initializeDecoder(
      { ...model.config, hiddenSize: 64, numLayers: 8 },
      new Random(1).stream("larger"),
    );
    const saving = storeModel("student", larger, tokenizer, { navigator });
    await expect(saving).rejects.toThrow(
      /^pupil-models\/student\/model\.safetensors: There is no room for its \d+\.\d MB\. The browser gives this site 0\.0 MB, of which 0\.0 MB are in use\. Remove models/,
    );
    expect(usage()).toBe(before);
    using loaded = (await loadModel(await storedFolder("student", { navigator }))).model;
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(model, rows));
    await expect(storeModel("other", larger, tokenizer, { navigator })).rejects.toThrow("no room");
    expect((await storedModels({ navigator })).map(({ name }) => name)).toEqual(["student"]);
  });
});

test("a second save takes the place of the first", async () => {
  const { navigator, usage } = fakeStorage();
  using first = smallModel();
  await storeModel("student", first, tokenizer, { navigator });
  const once = usage();
  using second = initializeDecoder(first.config, new Random(9).stream("second"));
  await storeModel("student", second, tokenizer, { navigator });
  expect(usage()).toBe(once);
  using loaded = (await loadModel(await storedFolder("student", { navigator }))).model;
  expect(logitsOf(loaded, rows)).toEqual(logitsOf(second, rows));
});

test.each([...files, "complete.json"])(
  "a page that is closed while it writes %s leaves the last complete model",
  async (cutAt) => {
    let isClosed = false;
    let isSecond = false;
    const onWrite = (file: string) => {
      if (isSecond && file === cutAt) isClosed = true;
      if (isClosed) throw new Error("closed");
    };
    const { navigator } = fakeStorage({ onWrite });
    using first = smallModel();
    await storeModel("student", first, tokenizer, { navigator });
    using second = initializeDecoder(first.config, new Random(9).stream("second"));
    isSecond = true;
    await expect(storeModel("student", second, tokenizer, { navigator })).rejects.toThrow("closed");
    [isClosed, isSecond] = [false, false];
    using loaded = (await loadModel(await storedFolder("student", { navigator }))).model;
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(first, rows));
  },
);

test("a half-written save without a mark is not taken for a model", async () => {
  const { navigator } = fakeStorage();
  const root = await navigator.storage?.getDirectory?.();
  const models = await root?.getDirectoryHandle("pupil-models", { create: true });
  const half = await models?.getDirectoryHandle("half", { create: true });
  const own = await half?.getDirectoryHandle("1", { create: true });
  for (const name of ["config.json", "complete.json"]) {
    const writer = await (await own?.getFileHandle(name, { create: true }))?.createWritable?.();
    await writer?.write(new TextEncoder().encode('{"formatVersion":1,"fi'));
    await writer?.close();
  }
  expect(await storedModels({ navigator })).toEqual([]);
  await expect(storedFolder("half", { navigator })).rejects.toThrow("There is no stored model");
  // It can be saved over, and removed.
  using model = smallModel();
  await storeModel("half", model, tokenizer, { navigator });
  expect((await storedModels({ navigator })).map(({ name }) => name)).toEqual(["half"]);
});

test("what was uploaded is kept from its zip", async () => {
  const { navigator } = fakeStorage();
  using model = smallModel();
  const zip = await zipFolder(await zipModel(model, tokenizer, { maxShardBytes: 4000 }));
  const { files: kept } = await storeFolder("uploaded", zip, { navigator });
  expect(kept.filter((name) => name.endsWith(".safetensors"))).toHaveLength(3);
  using loaded = (await loadModel(await storedFolder("uploaded", { navigator }))).model;
  expect(logitsOf(loaded, rows)).toEqual(logitsOf(model, rows));
});

test("a stored file that was damaged is named", async () => {
  const { navigator } = fakeStorage();
  using model = smallModel();
  await storeModel("student", model, tokenizer, { navigator });
  const root = await navigator.storage?.getDirectory?.();
  const models = await root?.getDirectoryHandle("pupil-models");
  const own = await (await models?.getDirectoryHandle("student"))?.getDirectoryHandle("1");
  const writer = await (await own?.getFileHandle("config.json"))?.createWritable?.();
  await writer?.write(new TextEncoder().encode("{}"));
  await writer?.close();
  const damaged = loadModel(await storedFolder("student", { navigator }));
  await expect(damaged).rejects.toThrow(
    /pupil-models\/student\/config\.json: The model config has 2 bytes in place of \d+\./,
  );
  await own?.removeEntry("tokenizer.json");
  const folder = await storedFolder("student", { navigator });
  await expect(folder.open("tokenizer.json", "tokenizer")).rejects.toThrow(
    "pupil-models/student/tokenizer.json: The tokenizer is missing.",
  );
});

test("names that are none, or of nothing, are refused", async () => {
  const { navigator } = fakeStorage();
  using model = smallModel();
  for (const name of ["", "a/b", ".."]) {
    await expect(storeModel(name, model, tokenizer, { navigator })).rejects.toThrow(/^name: /);
  }
  await expect(storedFolder("student", { navigator })).rejects.toThrow("Nothing is stored yet.");
  await storeModel("student", model, tokenizer, { navigator });
  for (const act of [storedFolder, removeStoredModel]) {
    await expect(act("studnet", { navigator })).rejects.toThrow(
      'There is no stored model "studnet". Did you mean "student"? Stored: student.',
    );
  }
});

test("a browser without storage, or that does not give it, says so", async () => {
  await expect(storedModels({ navigator: {} })).rejects.toThrow(
    "This browser has no storage for files here. Serve the page by https",
  );
  const navigator = { storage: { getDirectory: () => Promise.reject(new Error("private")) } };
  await expect(storedModels({ navigator })).rejects.toThrow(
    "pupil-models: The browser does not give its storage (private).",
  );
  using model = smallModel();
  const mainThread = fakeStorage({ writes: "neither" });
  await expect(storeModel("a", model, tokenizer, mainThread)).rejects.toThrow("in workers only");
});

test("saves of one name wait for one another, in all tabs", async () => {
  const { navigator } = fakeStorage();
  const names: string[] = [];
  const locks = {
    request: <T>(name: string, run: () => Promise<T>) => {
      names.push(name);
      return run();
    },
  };
  using model = smallModel();
  await storeModel("a", model, tokenizer, { navigator: { ...navigator, locks } });
  await removeStoredModel("a", { navigator: { ...navigator, locks } });
  expect(names).toEqual(["pupil-models/a", "pupil-models/a"]);
});
