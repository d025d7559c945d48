const higher =
  /^(accuracy|passAt\d+|majAt\d+|reward|ndcg\d+|windowNdcg\d+|windowWholeRate)$|Tau$|Accuracy$|Margin$/;
const lower = /^(loss|perplexity)$|Kl$|Error$|^violationRate$/;

/**
 * Which way a measure of an evaluation is better, by its name with or without its set (`heldOut.accuracy`);
 * undefined where that depends on what one wants, as with lengths.
 */
export function betterDirection(name: string): "higher" | "lower" | undefined {
  const measure = name.slice(name.lastIndexOf(".") + 1);
  if (higher.test(measure)) return "higher";
  return lower.test(measure) ? "lower" : undefined;
}
