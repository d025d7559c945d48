import type { Cell, CellEvent } from "../node/index.js";
import { formatDuration } from "./format.js";
import { writeLine } from "./terminal.js";

/** One line of progress over all runs of an ablation. */
export interface CellProgress {
  show(event: CellEvent): void;
  end(): void;
}

/** Shows how far the cells are: a line that is renewed on a terminal, a line per finished run elsewhere. */
export function cellProgress(cells: readonly Cell[], stream: NodeJS.WriteStream): CellProgress {
  const began = performance.now();
  const total = steps(cells);
  const reached = new Map<Cell, number>();
  const running = new Set<Cell>();
  let found = 0;
  let ended = 0;
  let written = 0;
  const clear = () => {
    if (stream.isTTY) stream.write("\r\u001b[2K");
  };
  const line = (text: string) => {
    clear();
    writeLine(stream, text);
  };
  const status = () => {
    const done = [...reached.values()].reduce((sum, step) => sum + step, 0);
    const speed = (done - found) / (performance.now() - began);
    const left = speed > 0 ? `, ${formatDuration((total - done) / speed)} left` : "";
    return `${ended}/${cells.length} runs done, ${running.size} running, ${Math.floor((100 * done) / total)} % of the steps${left}`;
  };
  const renew = () => {
    if (!stream.isTTY || performance.now() - written < 200) return;
    written = performance.now();
    clear();
    stream.write(status().slice(0, (stream.columns ?? 80) - 1));
  };
  return {
    show(event) {
      const { cell, type } = event;
      const name = `${cell.arm}, seed ${cell.seed}`;
      if (type === "started") running.add(cell);
      if (type === "step") reached.set(cell, event.step);
      if (type === "found" || type === "done") {
        reached.set(cell, cell.config.trainer.steps);
        ended += 1;
        running.delete(cell);
      }
      if (type === "found") found += cell.config.trainer.steps;
      if (type === "failed") {
        running.delete(cell);
        line(`${name} failed: ${event.message}`);
      } else if (type === "done") {
        line(`${name}: ${event.seconds.toFixed(1)} s; ${status()}`);
      }
      renew();
    },
    end: clear,
  };
}

const steps = (cells: readonly Cell[]) =>
  cells.reduce((sum, { config }) => sum + config.trainer.steps, 0);
