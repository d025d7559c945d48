import { spawn } from "node:child_process";
import { z } from "zod";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { exists, serveView } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

export const viewSchema = z.strictObject({
  port: z.int().min(0).max(65_535).default(0).describe("Where to serve; 0: a port that is free."),
  open: z.boolean().default(false).describe("Whether to open it in a browser."),
});

/** `pupil view [folder] [open=true] [port=8080]`. */
export async function viewCommand(words: readonly string[]): Promise<void> {
  const isOption = (word: string) => /^\w+=/.test(word);
  const given = applyOverrides({}, words.filter(isOption));
  const { port, open } = parseConfig(viewSchema, given, "view");
  const [folder = "runs"] = words.filter((word) => !isOption(word));
  if (!(await exists(folder))) {
    writeLine(
      process.stderr,
      `There is no folder ${folder} yet: what will be written there is shown.`,
    );
  }
  const server = await serveView({ folder, port });
  writeLine(process.stdout, `${server.url} shows the runs in ${folder}. Ctrl-C ends it.`);
  if (open) openInBrowser(server.url);
}

/** With what the system opens addresses with; where it has nothing, the printed address is left. */
function openInBrowser(url: string): void {
  const [command, ...rest] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[
    process.platform as string
  ] ?? ["xdg-open"];
  const child = spawn(command as string, [...rest, url], { stdio: "ignore", detached: true });
  child.on("error", () => writeLine(process.stderr, "No browser could be opened."));
  child.unref();
}
