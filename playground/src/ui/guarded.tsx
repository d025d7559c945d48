import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { settings } from "./state/store.js";

/**
 * A part of the page that stands for itself: settings of a link or a config may be of a form that a control cannot show. The
 * worker says what is wrong with them; here only the part stays empty, until there are others.
 */
export function Guarded({ what, of: Part }: { what: string; of: ComponentType }) {
  const [error, retry] = useErrorBoundary();
  const { value } = settings;
  // Once for each settings.
  useEffect(() => {
    if (error !== undefined) retry();
  }, [value]);
  // Made here each time: children that are handed on keep the elements that they once had.
  if (error === undefined) return <Part />;
  return (
    <p class="hint">
      {what}: these settings cannot be shown here ({(error as Error).message}). Correct them under
      Config and files, or begin with an example.
    </p>
  );
}
