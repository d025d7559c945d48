import { type HiddenStatesRecording, knownRows } from "../recorded/recording.js";
import type { HiddenStatesSource } from "./hidden-states-teacher.js";

/** Hidden states that were stored before, of exactly the recorded rows. */
export function recordedStates(recording: HiddenStatesRecording): HiddenStatesSource {
  const { name, manifest } = recording;
  const { maxPositions, hiddenSize: D } = manifest;
  const { read, ...known } = knownRows(recording);
  return {
    name,
    ...(maxPositions === null ? {} : { maxPositions }),
    ...known,
    async states(sequences) {
      const rows = await read(sequences);
      return rows.map(({ positions }) => {
        const states = new Float32Array(positions.length * D);
        for (const [i, state] of positions.entries()) states.set(state, i * D);
        return states;
      });
    },
  };
}
