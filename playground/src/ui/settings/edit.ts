import {
  configOf,
  type Json,
  type JsonObject,
  ownLossPath,
  type Settings,
  valueAt,
  withValue,
} from "../../training/settings.js";
import { apply, settings } from "../state/store.js";

/** The value of a field of a student's config. */
export const fieldOf = (path: string, student = 0): Json | undefined =>
  valueAt(configOf(settings.value, student), path);

/** Sets one field; of the second student where it differs there. */
export function setField(path: string, value: Json | undefined): void {
  const { config, ...rest } = settings.value;
  apply({ ...rest, config: withValue(config, path, value) as JsonObject });
}

export function setFields(fields: Readonly<Record<string, Json | undefined>>): void {
  const { config, ...rest } = settings.value;
  const changed = Object.entries(fields).reduce<Json>(
    (json, [path, value]) => withValue(json, path, value),
    config,
  );
  apply({ ...rest, config: changed as JsonObject });
}

export function setSecond(second: Settings["second"]): void {
  const { second: _second, ...rest } = settings.value;
  apply(second === undefined ? rest : { ...rest, second });
}

/** Trains with a loss that passed: it is the first term of the (second, where there are two) student's loss. */
export function useOwnLoss(source: string, name: string): void {
  const { config, ...rest } = settings.value;
  const withModule = withValue(config, "losses", [ownLossPath]);
  const changed = withValue(withModule, "trainer.loss", [{ type: name }]) as JsonObject;
  apply({ ...rest, config: changed, ownLoss: source });
}

export function dropOwnLoss(): void {
  const { config, ownLoss: _ownLoss, ...rest } = settings.value;
  const without = withValue(config, "losses", undefined);
  const changed = withValue(without, "trainer.loss", [{ type: "forward-kl" }]) as JsonObject;
  apply({ ...rest, config: changed });
}
