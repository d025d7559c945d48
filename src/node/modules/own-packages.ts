import { register } from "node:module";

/**
 * Files of a user that are loaded into this process get this process's own `pupil`, TensorFlow.js and
 * zod, wherever the files are: a second copy of TensorFlow.js would have an engine of its own, without
 * our tensors, and schemas of a second zod are none of ours.
 */
export function shareOwnPackages(): void {
  if (shared) return;
  shared = true;
  // Sources where they run from sources (tsx), else what was built.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
    data: {
      folder: new URL("../../", import.meta.url).href,
      extension,
      // Under either name: the whole of TensorFlow.js would bring an engine of its own.
      packages: {
        "@tensorflow/tfjs": "@tensorflow/tfjs-core",
        "@tensorflow/tfjs-core": "@tensorflow/tfjs-core",
        zod: "zod",
      },
      from: import.meta.url,
    },
  });
}

let shared = false;

// Hooks run in a thread of their own, so they come as a source text. Packages keep their own.
const hooks = `
let own;
export function initialize(data) { own = data; }
export function resolve(specifier, context, next) {
  const parent = context.parentURL ?? "";
  if (!parent.startsWith("file:") || parent.includes("/node_modules/")) return next(specifier, context);
  const entry = specifier === "pupil" ? "index" : specifier.replace(/^pupil\\/([\\w-]+)$/, "api/$1");
  if (entry !== specifier) return next(own.folder + entry + "." + own.extension, context);
  if (Object.hasOwn(own.packages, specifier)) return next(own.packages[specifier], { ...context, parentURL: own.from });
  return next(specifier, context);
}
`;
