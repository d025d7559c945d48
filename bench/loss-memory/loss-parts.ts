import { LineProcess } from "../contestants/child-process.js";
import { lossPartCommand } from "../contestants/contestants.js";
import type { LossForm, LossPart, LossPartAnswer } from "../results.js";
import { lossTolerance } from "../results.js";
import { lossPartSizes } from "../scenarios.js";
import { largestDifference } from "../statistics.js";

/** Every loss at every vocabulary in both forms, a fresh process each. */
export async function measureLossParts(report: (what: string) => void): Promise<LossPart[]> {
  const { losses, vocabularies } = lossPartSizes;
  const found: LossPart[] = [];
  for (const vocabSize of vocabularies) {
    for (const loss of losses) {
      report(`loss memory: ${loss}, vocabulary ${vocabSize}`);
      const plain = await measure(loss, "plain", vocabSize);
      const fused = await measure(loss, "fused", vocabSize);
      checkSame(plain, fused);
      found.push(plain, fused);
    }
  }
  return found;
}

async function measure(loss: string, form: LossForm, vocabSize: number): Promise<LossPart> {
  const [command, ...args] = lossPartCommand(form, loss, vocabSize);
  const child = new LineProcess(command, args);
  const answer = await child.next<LossPartAnswer>();
  child.stop();
  return { loss, form, vocabSize, ...answer };
}

function checkSame(a: LossPart, b: LossPart): void {
  const difference = largestDifference([a.value, a.gradientNorm], [b.value, b.gradientNorm]);
  if (difference <= lossTolerance) return;
  const what = `${a.loss} at ${a.vocabSize}`;
  throw new Error(`The two forms of ${what} differ by ${difference}: the figures mean nothing.`);
}
