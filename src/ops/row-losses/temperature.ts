import { PupilError } from "../../errors/index.js";

/** @throws PupilError if logits cannot be divided by it */
export function requireTemperature(temperature: number): void {
  if (temperature > 0) return;
  throw new PupilError(`must be above 0, got ${temperature}.`, {
    field: "temperature",
    value: temperature,
  });
}
