import { gunzipSync, gzipSync } from "node:zlib";
import { PupilError } from "../../../errors/index.js";
import type { Computing } from "./computing.js";
import type { PlannedStage } from "./stage.js";

/** What a process that makes a stage is given. */
export interface StageOrder {
  readonly stage: PlannedStage;
  /** File in which it says how it ended without a result; undefined where it can only print it. */
  readonly outcome?: string;
}

/** What it says to a process of the same machine. */
export type StageMessage =
  | { readonly type: "step"; readonly step: number }
  | { readonly type: "computes"; readonly computing: Computing };

const inline = "--inline";

/** The words for an order that no file holds. */
export function inlineWords(order: StageOrder): string[] {
  return [inline, gzipSync(JSON.stringify(order)).toString("base64")];
}

/** An order in the words of a command line; undefined for the path of one. */
export function inlineOrder([first = "", second = ""]: readonly string[]): StageOrder | undefined {
  if (first !== inline) return undefined;
  return JSON.parse(gunzipSync(Buffer.from(second, "base64")).toString("utf8")) as StageOrder;
}

/** What is said of an error: of one that nobody expected, where it happened. */
export function messageOf(error: unknown): string {
  const isExpected = error instanceof PupilError;
  return isExpected ? error.message : String((error as Error)?.stack ?? error);
}
