/**
 * Trains the quickstart's student away from the page, which stays responsive: what the page asks for comes
 * as messages, and is done between two steps.
 */
import { type Decoder, modelTeacher, type Tokenizer } from "pupil";
import {
  createPause,
  loadModel,
  pausable,
  removeStoredModel,
  startInBrowser,
  storedFolder,
  storedModels,
  storeModel,
  urlFolder,
  zipFolder,
  zipModel,
} from "pupil/browser";
import { ownDistribution } from "pupil/rollouts";
import { sampleCompletions } from "pupil/trainers";
import {
  type Classroom,
  type Lesson,
  lessonSteps,
  newStudent,
  openClassroom,
  sftLesson,
  ways,
} from "../quickstart/classroom.js";
import { settings } from "../quickstart/settings.js";
import type { Order, Report, TrainingChoice } from "./protocol.js";

const send = (report: Report) => self.postMessage(report);
const pause = createPause();
const stop = new AbortController();

/** What there is once training has begun. */
let student: Decoder | undefined;
let classroom: Classroom | undefined;

/** Orders that want the student as it is between two steps. */
const orders: Order[] = [];
let isTraining = false;
/** Whether a pause holds it, so that no step runs. */
let isHeld = false;

async function train(choice: TrainingChoice): Promise<void> {
  const { backend, threads, software } = choice;
  // #region start
  const started = await startInBrowser({
    backend,
    ...(threads !== undefined && { threads }),
    allowSoftwareAdapter: software,
  });
  send({ type: "started", line: started.line, notes: started.notes });
  // #endregion

  // #region load
  const folder = urlFolder(choice.teacher, {
    onProgress: (progress) => send({ type: "loading", progress }),
  });
  const { model, tokenizer } = await loadModel(folder);
  // #endregion
  classroom = await openClassroom(modelTeacher(model, "teacher"), tokenizer, choice.seed);
  student = newStudent(classroom);
  await showSamples("untrained", student, tokenizer);

  const first = { ...sftLesson, steps: choice.sft };
  const second = { ...settings.more, ...ways.onPolicy.lesson, steps: choice.more };
  await learn("SFT", first, 0);
  await learn("on-policy distillation, reverse KL", second, choice.sft);
  send({ type: "finished", stopped: stop.signal.aborted });
}

async function learn(phase: string, lesson: Lesson, firstRow: number): Promise<void> {
  if (student === undefined || classroom === undefined || lesson.steps === 0) return;
  // #region loop
  const steps = lessonSteps(student, classroom, lesson, firstRow);
  const onChange = (on: boolean) => {
    isHeld = on;
    send({ type: "paused", on });
  };
  for await (const metrics of pausable(steps, { pause, signal: stop.signal, onChange })) {
    const { step, loss, tokens, elapsedMs } = metrics;
    send({ type: "step", phase, step, of: lesson.steps, loss, speed: (1000 * tokens) / elapsedMs });
    for (const order of orders.splice(0)) await carryOut(order).catch(report);
    // #endregion
    if (step % 50 === 0 || step === lesson.steps) {
      await showSamples(`${phase}, step ${step}`, student, classroom.tokenizer);
    }
  }
}

/** Samples of a model on problems that nobody is trained on; the same seed gives the same tokens. */
async function showSamples(of: string, model: Decoder, tokenizer: Tokenizer): Promise<void> {
  if (classroom === undefined) throw new Error("Start the training first.");
  const { data, random } = classroom;
  const heldOut = data.evaluation.find((set) => set.name === "heldOut");
  if (heldOut === undefined) throw new Error("The task has no held-out set.");
  const prompts = heldOut.prompts.slice(0, 6);
  const { rollouts } = await sampleCompletions(model, prompts, {
    batchSize: prompts.length,
    endIds: tokenizer.endIds,
    padId: tokenizer.padId,
    maxNewTokens: data.maxNewTokens,
    policy: ownDistribution,
    random: random.stream("samples"),
  });
  const samples = rollouts.map(({ completionIds }, i) => ({
    text: tokenizer.decode([...(prompts[i] as readonly number[]), ...completionIds]),
    ids: completionIds,
    correct: heldOut.verify?.(i, completionIds) ?? false,
  }));
  send({ type: "samples", of, samples });
}

/** What needs the models, one after the other. */
async function carryOut(order: Order): Promise<void> {
  const tokenizer = classroom?.tokenizer;
  if (order.type === "open") {
    // #region open
    const { from } = order;
    const folder = await ("zip" in from ? zipFolder(from.zip) : storedFolder(from.stored));
    const { model, tokenizer: own } = await loadModel(folder);
    using opened = model;
    // #endregion
    return showSamples(folder.name, opened, own);
  }
  if (order.type === "remove") await removeStoredModel(order.name);
  if (order.type === "zip" || order.type === "keep") {
    if (student === undefined || tokenizer === undefined)
      throw new Error("There is no student yet.");
    // #region save
    if (order.type === "zip") {
      const zip = await zipModel(student, tokenizer, { folder: "student" });
      return send({ type: "zip", zip });
    }
    await storeModel(order.name, student, tokenizer);
    // #endregion
  }
  send({ type: "stored", models: await storedModels() });
}

async function take(order: Order): Promise<void> {
  if (order.type === "pause") pause.set(order.on, order.reason);
  else if (order.type === "stop") stop.abort();
  else if (order.type === "train") {
    isTraining = true;
    await train(order.choice).finally(() => {
      isTraining = false;
    });
    for (const late of orders.splice(0)) await carryOut(late);
  } else if (isTraining && !isHeld) orders.push(order);
  else await carryOut(order);
}

function report(error: unknown): void {
  send({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  take(data).catch(report);
};
