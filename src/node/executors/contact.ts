import type { CellEvent } from "./cell.js";
import { EngineAwayError } from "./executor.js";

/** Says once that an engine does not answer, and once that it does again. */
export class Contact {
  private isAway = false;
  private readonly report: (event: CellEvent) => void;

  constructor(report: (event: CellEvent) => void) {
    this.report = report;
  }

  /** What an engine answers; undefined where it is away. */
  async try<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const answer = await unlessAway(ask);
    if (answer instanceof EngineAwayError) {
      if (!this.isAway) this.report({ type: "away", message: answer.message });
      this.isAway = true;
      return undefined;
    }
    if (this.isAway) this.report({ type: "back" });
    this.isAway = false;
    return answer;
  }
}

async function unlessAway<T>(ask: () => Promise<T>): Promise<T | EngineAwayError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof EngineAwayError) return error;
    throw error;
  }
}
