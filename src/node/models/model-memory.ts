import { requireWithin } from "../../folders/index.js";
import type { ModelConfig } from "../../models/index.js";
import { deviceLimits } from "../runs/models/device-limits.js";

/**
 * Refuses a model whose weights alone the backend of this machine cannot hold, see {@link requireWithin}.
 *
 * @param source of the model, for the message
 * @throws PupilError with what it needs and what there is
 */
export function requireModelFits(
  config: ModelConfig,
  source: string,
  limits = deviceLimits(),
): void {
  requireWithin(config, source, limits);
}
