import {
  frames,
  isComparing,
  oneStep,
  pause,
  reset,
  run,
  start,
  state,
  step,
  tokensPerSecond,
  waitsForCheck,
  problem,
} from "./state/store.js";

const whole = (value: number) => Math.round(value).toLocaleString("en-US");

/** Start, pause, step, reset, and where the run is. */
export function ControlBar() {
  const isRunning = state.value === "running";
  const steps = run.value?.steps ?? 0;
  const canRun = (isRunning || state.value === "paused") && !waitsForCheck.value;
  return (
    <div class="bar" role="group" aria-label="Training">
      <button
        type="button"
        class="button main"
        disabled={!canRun}
        onClick={isRunning ? pause : start}
      >
        <Icon name={isRunning ? "pause" : "play"} />
        {isRunning
          ? "Pause"
          : state.value === "finished"
            ? "Done"
            : step.value > 0
              ? "Go on"
              : "Start"}
      </button>
      <button
        type="button"
        class="button"
        disabled={state.value !== "paused" || waitsForCheck.value}
        onClick={oneStep}
      >
        <Icon name="step" />
        Step
      </button>
      <button
        type="button"
        class="button"
        disabled={waitsForCheck.value || (state.value === "empty" && frames.value.length === 0)}
        onClick={reset}
      >
        <Icon name="reset" />
        Reset
      </button>
      <div class="where">
        <progress max={Math.max(1, steps)} value={step.value} aria-label="Steps done" />
        <span>
          step <b style={{ minWidth: `${whole(steps).length}ch` }}>{whole(step.value)}</b> of{" "}
          {steps === 0 ? "…" : whole(steps)}
        </span>
      </div>
      <p class="facts">
        <span title={run.value?.backend ?? ""}>
          <b>{tokensPerSecond.value === 0 ? "–" : whole(tokensPerSecond.value)}</b> tokens/s
          {` on ${run.value ? engineName(run.value.backendName) : "…"}`}
        </span>
        <span>{stateText()}</span>
        <span>
          {isComparing.value ? "students" : "student"} of{" "}
          <b>
            {run.value?.students.map(({ parameters }) => whole(parameters)).join(" and ") ?? "…"}
          </b>{" "}
          parameters
        </span>
      </p>
    </div>
  );
}

const engineName = (name: string) =>
  name === "webgpu" ? "WebGPU" : name === "wasm" ? "the CPU" : name;

function stateText(): string {
  if (waitsForCheck.value) return "waits for its loss to be checked";
  if (state.value === "empty")
    return problem.value === undefined ? "making the models …" : "not made";
  return { paused: "ready", running: "training", finished: "finished", failed: "stopped" }[
    state.value
  ];
}

const shapes = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  step: "M3 3v10l7-5zM11 3h2v10h-2z",
  reset: "M8 3a5 5 0 1 1-4.6 3h1.7A3.4 3.4 0 1 0 8 4.6V7L4 3.8 8 .6z",
} as const;

function Icon({ name }: { readonly name: keyof typeof shapes }) {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={shapes[name]} fill="currentColor" />
    </svg>
  );
}
