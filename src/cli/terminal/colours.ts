import { Chalk, type ChalkInstance, supportsColor, supportsColorStderr } from "chalk";

/** Colours for a stream: none where it is no terminal, and where NO_COLOR is set (https://no-color.org). */
export function coloursFor(stream: { readonly isTTY?: boolean }): ChalkInstance {
  const support = stream === process.stderr ? supportsColorStderr : supportsColor;
  const isOff = stream.isTTY !== true || (process.env["NO_COLOR"] ?? "") !== "";
  return new Chalk({ level: isOff || support === false ? 0 : support.level });
}
