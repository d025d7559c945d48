import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { settings } from "./store.js";

/**
 * A part of the page that stands for itself: settings of a link or a config may be of a form that a control cannot show. The
 * worker says what is wrong with them; here only the part stays empty, until there are others.
 */
export function Guarded({ what, children }: { what: string; children: ComponentChildren }) {
  const [error, retry] = useErrorBoundary();
  const { value } = settings;
  // Once for each settings.
  useEffect(() => {
    if (error !== undefined) retry();
  }, [value]);
  if (error === undefined) return <>{children}</>;
  return (
    <p class="hint">
      {what}: these settings cannot be shown here ({(error as Error).message}). Correct them under
      Config and files, or begin with an example.
    </p>
  );
}
