/** Words of a script such as `minutes=30`, with what each is where it is not given. */
export function wordsOf<Words extends Readonly<Record<string, string>>>(defaults: Words): Words {
  const given = process.argv.slice(2).map((word): [string, string] => {
    const [key = "", ...rest] = word.split("=");
    if (!Object.hasOwn(defaults, key) || rest.length === 0) {
      throw new Error(`"${word}" is no word of this script. Words: ${known(defaults)}.`);
    }
    return [key, rest.join("=")];
  });
  return { ...defaults, ...Object.fromEntries(given) };
}

const known = (defaults: Readonly<Record<string, string>>) =>
  Object.entries(defaults)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
