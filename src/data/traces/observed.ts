import type { Problem, ProblemSource } from "../problems/index.js";

/**
 * The parts of a completion that the world said, from and to characters: wherever an action ends and
 * what follows is what the world answers to it. None where the world answers nothing.
 */
export function observedParts(
  { respond }: ProblemSource,
  problem: Problem,
  completion: string,
): [number, number][] {
  if (respond === undefined) return [];
  const parts: [number, number][] = [];
  for (let at = 1; at < completion.length; at++) {
    const said = respond(problem, completion.slice(0, at));
    if (said === undefined || said === "" || !completion.startsWith(said, at)) continue;
    parts.push([at, at + said.length]);
    at += said.length - 1;
  }
  return parts;
}
