/** An address in the engine's memory; 0 where an optional tensor is absent. */
type Address = number;

/** What the AssemblyScript module exports; the meaning of arguments is documented there. */
export interface KernelExports {
  setUp(scratch: Address, numWorkers: number, canBlock: boolean): void;
  stopWorkers(): void;
  workerClaims(): number;
  scratchBytes(): number;
  heapStart(): Address;
  matmul(
    ...args: [
      ...[a: Address, b: Address, c: Address, bias: Address],
      ...[batch: number, m: number, n: number, k: number],
      ...[flags: number, strideA: number, strideB: number],
    ]
  ): void;
  unary(op: number, x: Address, out: Address, n: number): void;
  binary(op: number, a: Address, b: Address, out: Address, n: number): void;
  binaryBroadcast(
    ...args: [
      ...[op: number, a: Address, b: Address, out: Address],
      ...[outer: number, inner: number, n: number],
      ...[a0: number, a1: number, a2: number, b0: number, b1: number, b2: number],
    ]
  ): void;
  fill(out: Address, value: number, n: number): void;
  reduce(
    ...args: [
      ...[op: number, x: Address, out: Address],
      ...[outer: number, axis: number, inner: number, scale: number],
    ]
  ): void;
  sumSquares(x: Address, n: number, out: Address): number;
  rootOfSum(partial: Address, count: number, out: Address): void;
  stridedCopy(from: Address, to: Address, ...sizesAndStrides: number[]): void;
  findBadId(ids: Address, n: number, size: number): number;
  gatherRows(table: Address, ids: Address, out: Address, n: number, width: number): void;
  scatterAddRows(
    ...args: [...[x: Address, ids: Address, out: Address], n: number, width: number, size: number]
  ): void;
  normForward(
    ...args: [
      ...[x: Address, weight: Address, bias: Address, y: Address, mean: Address, scale: Address],
      ...[rows: number, width: number, epsilon: number],
    ]
  ): void;
  normBackward(
    ...args: [
      ...[dy: Address, x: Address, weight: Address, mean: Address, scale: Address],
      ...[dx: Address, dweight: Address, dbias: Address, rows: number, width: number],
    ]
  ): void;
  activation(
    ...args: [
      ...[op: number, a: Address, b: Address, c: Address, y: Address, z: Address],
      n: number,
    ]
  ): void;
  rotary(
    ...args: [
      ...[x: Address, cos: Address, sin: Address, y: Address],
      ...[tokens: number, heads: number, half: number, sign: number],
    ]
  ): void;
  attention(
    ...args: [
      ...[query: Address, key: Address, value: Address, keyMask: Address, firstKeys: Address],
      ...[output: Address, probabilities: Address],
      ...[B: number, T: number, S: number, H: number, K: number, headDim: number, scale: number],
    ]
  ): void;
  attentionBlockBytes(S: number): number;
  attentionGrad(
    ...args: [
      ...[dy: Address, query: Address, key: Address, value: Address],
      ...[probabilities: Address, firstKeys: Address],
      ...[dquery: Address, dkey: Address, dvalue: Address, blocks: Address],
      ...[B: number, T: number, S: number, H: number, K: number, headDim: number, scale: number],
    ]
  ): void;
  softmax(x: Address, y: Address, rows: number, n: number, logarithm: number): void;
  crossEntropy(
    ...args: [
      ...[logits: Address, labels: Address, value: Address],
      ...[rows: number, n: number, smoothing: number],
    ]
  ): void;
  crossEntropyGrad(
    ...args: [
      ...[dy: Address, logits: Address, labels: Address, out: Address],
      ...[rows: number, n: number, smoothing: number],
      ...[values: Address, adds: number],
    ]
  ): void;
  divergence(
    ...args: [
      ...[kind: number, student: Address, teacher: Address, value: Address],
      ...[rows: number, n: number, inverseTemperature: number, beta: number, normaliser: number],
    ]
  ): void;
  divergenceGrad(
    ...args: [
      ...[kind: number, dy: Address, student: Address, teacher: Address, out: Address],
      ...[rows: number, n: number, inverseTemperature: number, beta: number, normaliser: number],
      ...[values: Address, adds: number],
    ]
  ): void;
  statistics(
    ...args: [...[student: Address, teacher: Address, out: Address], ...[rows: number, n: number]]
  ): void;
  /** Columns of a packed panel: as many as the executor multiplies at a time. */
  panelColumns(): number;
  packPanels(
    ...args: [
      ...[out: Address, step: number, weight: Address, ld: number, transposed: number],
      ...[k: number, n0: number, columns: number],
    ]
  ): void;
  decode(plan: Address): void;
  longestSampledRow(): number;
  sample(
    ...args: [
      ...[logits: Address, uniforms: Address, out: Address],
      ...[rows: number, n: number, inverseTemperature: number],
      ...[topK: number, topP: number],
    ]
  ): void;
  adamw(
    ...args: [
      ...[table: Address, count: number, scale: Address],
      ...[beta1: number, rest1: number, beta2: number, rest2: number],
      ...[epsilon: number, rate: number, rootFactor: number],
    ]
  ): void;
}
