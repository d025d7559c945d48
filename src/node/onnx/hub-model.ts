import { homedir } from "node:os";
import { join } from "node:path";
import type * as transformers from "@xenova/transformers";
import { PupilError } from "../../errors/index.js";
import { loadHub } from "../optional-packages.js";

type Transformers = typeof transformers;

interface HubModel {
  readonly from: string;
  readonly revision?: string | undefined;
}

/** Options of `from_pretrained` for a model on the Hub; its files are kept in Hugging Face's folder. */
export function hubOptions({ revision }: HubModel): { revision: string; cache_dir: string } {
  const home = process.env["HF_HOME"] ?? join(homedir(), ".cache", "huggingface");
  return { revision: revision ?? "main", cache_dir: join(home, "transformers.js") };
}

type Json = Readonly<Record<string, unknown>>;

/** A JSON file of a model on the Hub. */
export async function hubJson(hub: Transformers, model: HubModel, path: string): Promise<Json> {
  const json = await findHubJson(hub, model, path);
  if (json === undefined) throw absent(model, path);
  return json;
}

/**
 * The same for a file that may be missing from a model that is there. The token, if any, is `HF_TOKEN`
 * of the environment.
 */
export async function findHubJson(
  hub: Transformers,
  model: HubModel,
  path: string,
): Promise<Json | undefined> {
  const accessToken = process.env["HF_TOKEN"];
  const { downloadFile } = await loadHub();
  const blob = await downloadFile({
    repo: model.from,
    path,
    revision: model.revision ?? "main",
    hubUrl: hub.env.remoteHost.replace(/\/$/, ""),
    fetch: hub.env.fetch as typeof fetch,
    ...(accessToken === undefined ? {} : { accessToken }),
  }).catch((error: unknown) => {
    throw hubFailure(hub, model, path, error);
  });
  return blob === null ? undefined : (JSON.parse(await blob.text()) as Json);
}

/** What went wrong with a model that is not a folder: not there, or no way to ask. */
export function hubFailure(
  hub: Transformers,
  model: HubModel,
  path: string,
  error: unknown,
): PupilError {
  const status = (error as { statusCode?: number }).statusCode ?? 0;
  const isAbsent = error instanceof hub.ModelFileNotFoundError || [401, 403, 404].includes(status);
  if (isAbsent) return absent(model, path, error);
  const { message, cause } = error as Error & { cause?: { code?: string } };
  const code = cause?.code === undefined ? "" : ` (${cause.code})`;
  const reason = `${message.split("\n")[0]}${code}`.replace(/\.?$/, ".");
  return new PupilError(
    `There is no such folder, and ${path} of the model of that name on the Hugging Face Hub could not be loaded: ${reason}`,
    {
      field: model.from,
      remedy: "Without a connection, give a folder with the model's files.",
      cause: error,
    },
  );
}

function absent({ from, revision }: HubModel, path: string, cause?: unknown): PupilError {
  const where = revision === undefined ? "" : ` at ${revision}`;
  return new PupilError(
    `There is no such folder, and the Hugging Face Hub has no ${path} of that name${where}.`,
    {
      field: from,
      remedy: "Check the name; for a private or gated model set HF_TOKEN in the environment.",
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
