/** Everything the quickstart decides; the README's table comes from exactly these. */
export const settings = {
  seed: 1,
  /** Additions, half of them worked out column by column, half answered directly. */
  data: {
    type: "task",
    task: { type: "addition", minDigits: 3, maxDigits: 3, style: ["scratchpad", "direct"] },
  },
  student: {
    family: "llama",
    hiddenSize: 64,
    intermediateSize: 172,
    numLayers: 2,
    numHeads: 4,
    tieWordEmbeddings: true,
  },
  batchSize: 16,
  /** The short SFT that every student starts from. */
  sft: { steps: 1500, learningRate: 3e-3, schedule: "constant" },
  /** What each of the three ways gets on top of it. */
  more: { steps: 300, learningRate: 2e-3, schedule: "cosine" },
  evaluationRows: 200,
} as const;
