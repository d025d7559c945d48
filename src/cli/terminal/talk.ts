import { createInterface } from "node:readline/promises";

interface Message {
  readonly role: string;
  readonly content: string;
}

/**
 * A conversation by lines: each is a message of the user, and `answer` is given all messages so far. An
 * empty line begins anew; it ends with the input (Ctrl-D).
 */
export async function talk(
  { stdin, stdout }: Pick<NodeJS.Process, "stdin" | "stdout">,
  answer: (messages: readonly Message[]) => Promise<string>,
): Promise<void> {
  const lines = createInterface({ input: stdin, output: stdout, prompt: "> " });
  let messages: Message[] = [];
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() === "") messages = [];
    else {
      messages.push({ role: "user", content: line });
      messages.push({ role: "assistant", content: await answer(messages) });
      stdout.write("\n");
    }
    lines.prompt();
  }
}
