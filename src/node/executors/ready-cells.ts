/** Cells that can begin, taken in the order of the plan whenever they were added. */
export class ReadyCells<T extends { readonly index: number }> {
  /** The last one is the next. */
  private readonly cells: T[] = [];

  get size(): number {
    return this.cells.length;
  }

  add(cell: T): void {
    let low = 0;
    let high = this.cells.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.cells[middle] as T).index > cell.index) low = middle + 1;
      else high = middle;
    }
    this.cells.splice(low, 0, cell);
  }

  peek(): T | undefined {
    return this.cells.at(-1);
  }

  take(): T | undefined {
    return this.cells.pop();
  }
}
