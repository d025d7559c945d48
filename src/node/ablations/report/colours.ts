/**
 * Okabe and Ito's colours, which most people can tell apart, without their yellow and with grey for black: they
 * are seen on a white page and on a dark one. Three more for ablations of many arms.
 */
export const colours = [
  ...["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#808080"],
  ...["#a0522d", "#7a6ff0", "#6a8f00"],
];

/** The colour of each arm, for a legend. */
export function armColours(arms: readonly string[]): Readonly<Record<string, string>> {
  const colourOf = (i: number) => colours[i % colours.length] as string;
  return Object.fromEntries(arms.map((arm, i) => [arm, colourOf(i)]));
}
