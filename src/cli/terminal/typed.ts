/** A word as a shell takes it: in quotes where it has more than plain characters. */
export function quoted(word: string): string {
  return /^[\p{L}\p{N}_./\\:=@%+,-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** How this program was started: a package that is installed in a folder has no `pupil` on the path. */
export function pupil(environment: NodeJS.ProcessEnv = process.env): string {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = "" } = environment;
  return event === "npx" && /^["']?pupil\b/.test(script) ? "npx pupil" : "pupil";
}
