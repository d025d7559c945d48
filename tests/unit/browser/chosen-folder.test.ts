import { describe, expect, test } from "vitest";
import { type ChosenFile, chosenFolder, loadModel } from "../../../src/browser/index.js";
import { logitsOf } from "../models/tiny-models.js";
import { rows, smallFolder, smallModel } from "./model-on-hand.js";

/** The small folder's files below a path. */
async function chosen(below: string): Promise<ChosenFile[]> {
  return [...(await smallFolder())].map(([name, bytes]) => ({
    path: below + name,
    content: new Blob([bytes as Uint8Array<ArrayBuffer>]),
  }));
}

async function messageOf(files: readonly ChosenFile[], folder?: string): Promise<string> {
  try {
    const { model } = await loadModel(
      chosenFolder(files, { name: "mine", ...(folder !== undefined && { folder }) }),
    );
    model.dispose();
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    return (error as Error).message;
  }
  throw new Error("It was loaded.");
}

describe("a folder that was chosen", () => {
  test.each(["", "model/", "a/b/"])("is loaded from %j", async (below) => {
    using original = smallModel();
    const notes = { path: "__MACOSX/a/._config.json", content: new Blob(["no"]) };
    const { model } = await loadModel(chosenFolder([...(await chosen(below)), notes]));
    using loaded = model;
    expect(logitsOf(loaded, rows)).toEqual(logitsOf(original, rows));
  });

  test("is one of several where that is said", async () => {
    const both = [...(await chosen("a/")), ...(await chosen("b/"))];
    expect(await messageOf(both)).toMatch(/^mine: The folder holds 2 model folders.*"a", "b"/);
    expect(await messageOf(both, "c")).toMatch(/no model folder "c"/);
    (await loadModel(chosenFolder(both, { folder: "b" }))).model.dispose();
  });

  test("is refused by the file that is missing or is another", async () => {
    const files = await chosen("a/");
    const without = (name: string) => files.filter(({ path }) => path !== `a/${name}`);
    expect(await messageOf(without("config.json"))).toMatch(/holds no config.json/);
    expect(await messageOf(without("model.safetensors"))).toMatch(
      /^a\/model.safetensors: The weights file does not exist/,
    );
    expect(await messageOf(without("tokenizer.json"))).toMatch(/^a: .*no tokenizer/);
    const pointer = {
      path: "a/model.safetensors",
      content: new Blob(["version https://git-lfs.github.com/spec/v1\n"]),
    };
    expect(await messageOf([...without("model.safetensors"), pointer])).toMatch(
      /^a\/model.safetensors: It is a pointer of Git LFS/,
    );
  });

  test("is refused where a file has gone since", async () => {
    const gone = {
      slice: () => ({ text: () => Promise.reject(new Error("not found")) }),
    } as unknown as Blob;
    const files = (await chosen("")).filter(({ path }) => path !== "config.json");
    expect(await messageOf([...files, { path: "config.json", content: gone }])).toMatch(
      /config.json: The model config cannot be read \(not found\).*choose the folder again/,
    );
  });
});
