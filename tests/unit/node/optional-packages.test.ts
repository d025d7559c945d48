import { expect, test } from "vitest";
import { PupilError } from "../../../src/errors/index.js";
import { orInstall } from "../../../src/node/optional-packages.js";

/** The error of Node for a package that is not there. */
const missing = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/index.js`), {
    code: "ERR_MODULE_NOT_FOUND",
  });

test("a package that is not installed is one sentence with the command", async () => {
  const name = "@huggingface/hub";
  const error = await orInstall(name, () => Promise.reject(missing(name))).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(PupilError);
  expect((error as Error).message).toBe(
    "Reading from the Hugging Face Hub needs the package @huggingface/hub, which is not installed. Run: npm install @huggingface/hub",
  );
});

test("what the package itself misses, or does wrong, is passed on", async () => {
  const inside = missing("onnxruntime-node");
  const load = () => Promise.reject(inside);
  await expect(orInstall("@xenova/transformers", load)).rejects.toBe(inside);
});

test("the packages of a clone are there", async () => {
  const loaded = await orInstall("@huggingface/hub", () => import("@huggingface/hub"));
  expect(loaded.downloadFile).toBeTypeOf("function");
});
