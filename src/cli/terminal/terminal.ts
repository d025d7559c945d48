/**
 * Text of data, models or servers as a terminal may show it: characters that would steer the terminal
 * (escape sequences, carriage returns, C1 codes, reversed writing) appear as signs. Line ends and tabs
 * stay.
 */
export function printable(text: string): string {
  return text.replaceAll(steering, (character) => {
    const code = character.codePointAt(0) as number;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

// C0 but tab and line feed, DEL, C1, and the marks that turn the direction of writing.
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Writes a line that has no colours of ours in it. */
export function writeLine(stream: { write(text: string): unknown }, text: string): void {
  stream.write(`${printable(text)}\n`);
}

/** Writes text as it is into a file or pipe, and so that it cannot steer a terminal. */
export function writeText(stream: NodeJS.WriteStream, text: string): void {
  stream.write(stream.isTTY ? printable(text) : text);
}
