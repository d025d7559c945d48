import type { Command, HelpConfiguration } from "commander";
import type { z } from "zod";

/** A command of `pupil`: what its help says, and where its code is. */
export interface CliCommand {
  readonly name: string;
  /** `<required>`, `[optional]` or `[many...]`, each with its meaning. */
  readonly arguments?: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Switches, such as `--verbose`, each with what it does; the code gets them as its last argument, by name. */
  readonly flags?: Readonly<Record<`--${string}`, string>>;
  /** `key=value` words of its own, by key; those of a schema come from `options`. */
  readonly words?: Readonly<Record<string, string>>;
  /** Schema of its `key=value` words. */
  readonly options?: () => Promise<z.ZodType>;
  /** What other `key=value` words are. */
  readonly overrides?: Overrides;
  /** What the first argument can be, beside a path; for completion. */
  readonly choices?: () => Promise<readonly string[]>;
  /** Two at least, each with what it does. */
  readonly examples: Readonly<Record<string, string>>;
  /** Loaded when the command runs: the library takes longer to load than the help to read. */
  readonly run: () => Promise<(...given: never[]) => unknown>;
}

/** Fields of a config, as `key=value`. */
export interface Overrides {
  /** Which config, as the help says it. */
  readonly meaning: string;
  /** Its schema, where it does not depend on other words; for completion. */
  readonly schema?: () => Promise<z.ZodType>;
}

/** Overrides of a run config. */
export const runFields: Overrides = {
  meaning: "Every other key=value is a field of the run config: see `pupil describe run`.",
  schema: async () => (await import("../../config/index.js")).runConfigSchema,
};

/** Adds a command; its options are listed in full where help is asked for. */
export async function addCommand(
  program: Command,
  definition: CliCommand,
  asksForHelp: boolean,
): Promise<void> {
  const { name, summary, run } = definition;
  const command = program.command(name).description(summary).configureHelp(narrow);
  for (const [syntax, meaning] of Object.entries(definition.arguments ?? {})) {
    command.argument(syntax, meaning);
  }
  const flags = Object.entries(definition.flags ?? {});
  for (const [flag, meaning] of flags) command.option(flag, meaning, false);
  command.action(async (...given: unknown[]) => {
    // Commander adds its own options and the command.
    const action = (await run()) as (...words: unknown[]) => unknown;
    await action(...given.slice(0, flags.length > 0 ? -1 : -2));
  });
  if (asksForHelp) command.addHelpText("after", `\n${await helpOf(definition)}`);
}

const narrow: HelpConfiguration = { helpWidth: 100 };

async function helpOf({ words, options, overrides, examples }: CliCommand): Promise<string> {
  const { describeFields } = await import("../../config/index.js");
  const fields = options === undefined ? [] : describeFields(await options());
  const listed: [string, string][] = [
    ...Object.entries(words ?? {}),
    ...fields.map(({ path, type, default: value, required, description }): [string, string] => {
      const fallback = required
        ? "required"
        : value === undefined
          ? "optional"
          : `default ${value}`;
      return [`${path}=`, `${description === "" ? "" : `${description} `}(${type}; ${fallback})`];
    }),
  ];
  const parts = [
    ...(listed.length === 0 ? [] : [["Words (key=value):", ...columns(listed)]]),
    ...(overrides === undefined ? [] : [[overrides.meaning]]),
    [
      "Examples:",
      ...Object.entries(examples).flatMap(([line, does]) => [`  ${line}`, `      ${does}`]),
    ],
  ];
  return parts.map((lines) => lines.join("\n")).join("\n\n");
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
}
