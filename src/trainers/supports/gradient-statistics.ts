/** A number with its standard error over draws; 0 where nothing is drawn. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

/** How gradients compare with the true one, G, over all positions together. */
export interface GradientStatistics {
  /** ‖E g − G‖² / ‖G‖²: 0 where the gradient is right on average, 1 where it is as wrong as none at all. */
  readonly biasSquared: Estimate;
  /** E ‖g − E g‖² / ‖G‖². */
  readonly variance: Estimate;
  /** E cos(g, G) of a single draw. */
  readonly cosine: Estimate;
}

/**
 * Statistics of D gradients, each of all positions. The square of the bias is estimated without bias, as
 *
 *     mean over i ≠ j of ⟨g_i − G, g_j − G⟩
 *
 * since ‖mean g − G‖² would hold 1/D of the variance; it may come out below 0. Standard errors are the
 * jackknife's for the bias, and those of means for the others.
 *
 * @param gradients one, for a way that draws nothing, or at least three
 */
export function gradientStatistics(
  gradients: readonly Float32Array[],
  truth: Float32Array,
): GradientStatistics {
  const scale = dot(truth, truth);
  const cosines = gradients.map((g) => dot(g, truth) / Math.sqrt(dot(g, g) * scale) || 0);
  const D = gradients.length;
  if (D === 1) {
    const [g] = gradients as readonly [Float32Array];
    const bias = squaredDistance(g, truth) / scale;
    const exactly = (value: number) => ({ value, standardError: 0 });
    return {
      biasSquared: exactly(bias),
      variance: exactly(0),
      cosine: exactly(cosines[0] as number),
    };
  }
  const mean = meanOf(gradients);
  const sumOfErrors = mean.map((x, i) => D * (x - (truth[i] as number)));
  const total = dot(sumOfErrors, sumOfErrors);
  const own = gradients.map((g) => squaredDistance(g, truth));
  const withSum = gradients.map((g) => dot(g, sumOfErrors) - dot(truth, sumOfErrors));
  const allOwn = own.reduce((sum, x) => sum + x, 0);
  const without = own.map((square, i) => {
    const rest = total - 2 * (withSum[i] as number) + square;
    return (rest - (allOwn - square)) / ((D - 1) * (D - 2)) / scale;
  });
  const spreads = gradients.map((g) => (squaredDistance(g, mean) * D) / (D - 1) / scale);
  return {
    biasSquared: {
      value: (total - allOwn) / (D * (D - 1)) / scale,
      standardError: Math.sqrt(((D - 1) / D) * squaresAround(without)),
    },
    variance: meanWithError(spreads),
    cosine: meanWithError(cosines),
  };
}

function meanWithError(values: readonly number[]): Estimate {
  const { length } = values;
  const value = values.reduce((sum, x) => sum + x, 0) / length;
  return { value, standardError: Math.sqrt(squaresAround(values) / (length - 1) / length) };
}

function squaresAround(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
}

function meanOf(gradients: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(gradients[0]?.length ?? 0);
  for (const gradient of gradients) {
    for (const [i, x] of gradient.entries()) mean[i] = (mean[i] as number) + x / gradients.length;
  }
  return mean;
}

type Numbers = Float32Array | Float64Array;

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function squaredDistance(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}
