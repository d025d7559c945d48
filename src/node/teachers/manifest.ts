import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { z } from "zod";
import type { TeacherConfig } from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

/** What a teacher is, apart from where it lies. */
export interface TeacherIdentity {
  /** `model`, `recorded`, `mixture` … */
  readonly kind: string;
  /** SHA-256 of its weights and settings, of its members', or of its config where nothing else is here. */
  readonly hash: string;
  readonly hashOf: "files" | "members" | "description";
  /** Fingerprint of its own tokenizer. */
  readonly tokenizer?: string | undefined;
  /** SHA-256 of the head that is applied here to what it sends. */
  readonly head?: string | undefined;
  /** Its options in the run config, without those of members. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Of several teachers: each with its `weight` and with `when` it is asked. */
  readonly members?: readonly TeacherIdentity[] | undefined;
}

/** What a run learns from, as its checkpoints say it. */
export interface TeacherManifest {
  readonly version: 1;
  /** Fingerprint of the run's tokenizer. */
  readonly tokenizer: string;
  readonly teacher?: TeacherIdentity | undefined;
  /** Of a run that ranks: whose scores it learns. */
  readonly scores?: TeacherIdentity | undefined;
}

const identity: z.ZodType<TeacherIdentity> = z.object({
  kind: z.string(),
  hash: z.string(),
  hashOf: z.enum(["files", "members", "description"]),
  tokenizer: z.string().optional(),
  head: z.string().optional(),
  options: z.record(z.string(), z.unknown()),
  members: z.lazy(() => z.array(identity)).optional(),
});
export const teacherManifestSchema: z.ZodType<TeacherManifest> = z.object({
  version: z.literal(1),
  tokenizer: z.string(),
  teacher: identity.optional(),
  scores: identity.optional(),
});

/** Says what a loaded teacher is; its files are read. */
export async function identifyTeacher(
  config: TeacherConfig,
  loaded: LoadedTeacher,
): Promise<TeacherIdentity> {
  const {
    type: kind = "model",
    teachers: _teachers,
    ...options
  } = config as {
    readonly type?: string;
    readonly teachers?: unknown;
  } & Readonly<Record<string, unknown>>;
  const tokenizer = loaded.tokenizer?.fingerprint;
  const { headHash: head } = loaded;
  const common = {
    ...{ kind, options },
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(head === undefined ? {} : { head }),
  };
  if (loaded.members !== undefined) {
    const members: TeacherIdentity[] = [];
    for (const member of loaded.members) {
      members.push(await identifyTeacher(member.config, member.loaded));
    }
    return { ...common, hash: sha256(members.map(({ hash }) => hash)), hashOf: "members", members };
  }
  const { weights = [], settings } = loaded;
  if (weights.length === 0 && settings === undefined) {
    return { ...common, hash: sha256(config), hashOf: "description" };
  }
  return { ...common, hash: await hashOfFiles(weights, settings), hashOf: "files" };
}

/** SHA-256 of the bytes of files, one after the other, and of what decides beside them. */
export async function hashOfFiles(paths: readonly string[], settings?: object): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  }
  if (settings !== undefined) hash.update(JSON.stringify(settings));
  return hash.digest("hex");
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** What differs between the teachers of two manifests, in words; empty where they are the same. */
export function teacherDifferences(before: TeacherManifest, now: TeacherManifest): string[] {
  const changes: string[] = [];
  if (before.tokenizer !== now.tokenizer) changes.push("the tokenizer of the run");
  for (const part of ["teacher", "scores"] as const) {
    changes.push(...identityDifferences(before[part], now[part], part));
  }
  return changes;
}

function identityDifferences(
  before: TeacherIdentity | undefined,
  now: TeacherIdentity | undefined,
  field: string,
): string[] {
  if (before === undefined && now === undefined) return [];
  if (before === undefined) return [`${field}: there was none`];
  if (now === undefined) return [`${field}: there is none now`];
  const [a, b] = [before.members ?? [], now.members ?? []];
  if (before.kind !== now.kind) return [`${field}: ${before.kind} then, ${now.kind} now`];
  if (a.length !== b.length) return [`${field}: ${a.length} members then, ${b.length} now`];
  const ofMembers = a.flatMap((member, i) => {
    return identityDifferences(member, b[i], `${field}.teachers.${i}`);
  });
  const own = [
    ...(before.tokenizer === now.tokenizer ? [] : [`${field}: another tokenizer`]),
    ...(before.head === now.head ? [] : [`${field}: another head`]),
    ...(before.hash === now.hash || ofMembers.length > 0
      ? []
      : [`${field}: hash ${before.hash.slice(0, 12)} then, ${now.hash.slice(0, 12)} now`]),
    ...(sameOptions(before, now) ? [] : [`${field}: other options`]),
  ];
  return [...own, ...ofMembers];
}

/** Where it lies does not matter, as long as the hash is of what lies there. */
function sameOptions(before: TeacherIdentity, now: TeacherIdentity): boolean {
  const settings = ({ options, hashOf }: TeacherIdentity) => {
    const { from: _from, path: _path, head: _head, ...others } = options;
    return JSON.stringify(hashOf === "files" ? others : options);
  };
  return settings(before) === settings(now);
}
