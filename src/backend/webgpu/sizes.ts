/** A number of bytes for a message: rounded up, in KiB or MiB. */
export function sizeInWords(bytes: number): string {
  const [unit, name] = bytes < 2 ** 20 ? [2 ** 10, "KiB"] : [2 ** 20, "MiB"];
  return `${Math.ceil(bytes / unit).toLocaleString("en-US")} ${name}`;
}
