/** What is left of 95 % on either side. */
export const normalQuantile975 = 1.959964;

// 97.5 % quantiles of Student's t with 1, 2, … 30 degrees of freedom.
const table = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788,
  2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639,
  2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
];

/**
 * The 97.5 % quantile of Student's t with `degrees` ≥ 1 degrees of freedom. Beyond the table the first
 * two terms of its expansion about the normal (Abramowitz and Stegun 26.7.5), right to 1e-3.
 */
export function studentQuantile975(degrees: number): number {
  const z = normalQuantile975;
  return table[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees);
}
