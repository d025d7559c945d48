import { followVisibility } from "pupil/browser";
import type { Order, Report, Sample, TrainingChoice } from "./protocol.js";

const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const field = (id: string) => element<HTMLInputElement | HTMLSelectElement>(id);
const button = (id: string) => element<HTMLButtonElement>(id);

// #region worker
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const order = (given: Order) => worker.postMessage(given);
// #endregion
const losses: number[] = [];

function readChoice(): TrainingChoice {
  const threads = Number(field("threads").value);
  return {
    backend: field("backend").value as TrainingChoice["backend"],
    threads: threads > 0 ? threads : undefined,
    sft: Number(field("sft").value),
    more: Number(field("more").value),
    seed: Number(field("seed").value),
    teacher: new URL("teacher", document.baseURI).href,
    software: address.get("software") === "1",
  };
}

const address = new URLSearchParams(location.search);
for (const id of ["backend", "threads", "sft", "more", "seed"]) {
  const given = address.get(id);
  if (given !== null) field(id).value = given;
}

button("start").onclick = () => {
  button("start").disabled = true;
  for (const id of ["pause", "stop", "zip", "keep", "open"]) {
    element<HTMLButtonElement>(id).disabled = false;
  }
  order({ type: "train", choice: readChoice() });
};
button("pause").onclick = () => {
  const on = button("pause").getAttribute("aria-pressed") !== "true";
  button("pause").setAttribute("aria-pressed", String(on));
  order({ type: "pause", on, reason: "button" });
};
button("stop").onclick = () => order({ type: "stop" });
button("zip").onclick = () => order({ type: "zip" });
button("keep").onclick = () => order({ type: "keep", name: "student" });
element<HTMLInputElement>("open").onchange = ({ target }) => {
  const [zip] = (target as HTMLInputElement).files ?? [];
  if (zip !== undefined) order({ type: "open", from: { zip } });
};
// #region hidden
followVisibility((isHidden) => {
  const on = isHidden && element<HTMLInputElement>("hidden").checked;
  order({ type: "pause", on, reason: "hidden" });
});
// #endregion

worker.onmessage = ({ data }: MessageEvent<Report>) => show(data);
worker.onerror = ({ message }) => show({ type: "failed", message });
order({ type: "list" });

function show(report: Report): void {
  switch (report.type) {
    case "loading": {
      const { file, loadedBytes, totalBytes } = report.progress;
      const share = totalBytes === undefined ? "" : ` of ${totalBytes.toLocaleString("en")}`;
      return say("status", `Loading ${file}: ${loadedBytes.toLocaleString("en")}${share} bytes`);
    }
    case "started":
      element("notes").replaceChildren(...[report.line, ...report.notes].map(paragraph));
      return;
    case "step": {
      const { phase, step, of, loss, speed } = report;
      losses.push(loss);
      say(
        "status",
        `${phase}: step ${step} of ${of}, loss ${loss.toFixed(3)}, ${speed.toFixed(0)} tokens/s`,
      );
      return drawLosses();
    }
    case "samples":
      say("samples-of", report.of);
      element("samples").replaceChildren(...report.samples.map(sampleItem));
      return;
    case "paused":
      return say("state", report.on ? "Paused." : "");
    case "zip":
      return download(report.zip);
    case "stored":
      element("stored").replaceChildren(...report.models.map(storedItem));
      return;
    case "finished":
      button("stop").disabled = true;
      button("pause").disabled = true;
      return say("state", report.stopped ? "Stopped." : "Finished.");
    case "failed":
      return say("error", report.message);
  }
}

function say(id: string, text: string): void {
  element(id).textContent = text;
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function sampleItem({ text, correct }: Sample): HTMLElement {
  const item = document.createElement("li");
  item.textContent = `${text} (${correct ? "right" : "wrong"})`;
  return item;
}

function storedItem({ name, bytes }: { name: string; bytes: number }): HTMLElement {
  const item = document.createElement("li");
  item.append(`${name}, ${(bytes / 1e6).toFixed(2)} MB `);
  const open = document.createElement("button");
  open.textContent = `Sample ${name}`;
  open.onclick = () => order({ type: "open", from: { stored: name } });
  const remove = document.createElement("button");
  remove.textContent = `Remove ${name}`;
  remove.onclick = () => order({ type: "remove", name });
  item.append(open, " ", remove);
  return item;
}

/** All losses so far, from 0 to the largest. */
function drawLosses(): void {
  const [width, height] = [600, 160];
  const most = Math.max(...losses);
  const points = losses.map((loss, i) => {
    const x = (width * i) / Math.max(1, losses.length - 1);
    return `${x.toFixed(1)},${(height - (height * loss) / most).toFixed(1)}`;
  });
  document.getElementById("curve")?.setAttribute("points", points.join(" "));
  const [first, last] = [losses[0] as number, losses.at(-1) as number];
  const what = `Loss of every step, from ${first.toFixed(3)} to ${last.toFixed(3)}`;
  document.getElementById("chart")?.setAttribute("aria-label", what);
}

// #region download
function download(zip: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(zip);
  link.download = "student.zip";
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
// #endregion

if (address.has("start")) button("start").click();
