/**
 * Kendall's τ-b of two scorings of the same things, from −1 (reversed) to 1 (the same order):
 *
 *     τ_b = (C − D) / √((C + D + T_x) (C + D + T_y))
 *
 * over all pairs; C are ordered alike by both, D the other way round, T_x tied in y alone, T_y in x alone.
 * Undefined (NaN in scipy) where one of them ties everything: there is no order to agree with.
 *
 * Source: Kendall 1945, The treatment of ties in ranking problems.
 */
export function kendallTau(x: readonly number[], y: readonly number[]): number | undefined {
  if (x.length !== y.length) throw new Error(`Kendall's τ of ${x.length} and ${y.length} scores.`);
  let [agreement, ordersOfX, ordersOfY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const a = Math.sign((x[i] as number) - (x[j] as number));
      const b = Math.sign((y[i] as number) - (y[j] as number));
      agreement += a * b;
      ordersOfX += Math.abs(a);
      ordersOfY += Math.abs(b);
    }
  }
  const pairs = Math.sqrt(ordersOfX * ordersOfY);
  return pairs === 0 ? undefined : agreement / pairs;
}
