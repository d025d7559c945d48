/** All at once; the first failure cancels what has not been answered. */
export async function together<T, R>(
  items: readonly T[],
  ask: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const cancel = new AbortController();
  const answers = items.map((item, i) => ask(item, i, cancel.signal));
  try {
    return await Promise.all(answers);
  } catch (error) {
    cancel.abort(new Error("Another request of the same batch failed."));
    await Promise.allSettled(answers);
    throw error;
  }
}
