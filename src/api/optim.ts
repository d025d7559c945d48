/** AdamW, learning rate schedules, clipping. */
export {
  AdamW,
  type AdamWOptions,
  adamwSchema,
  type AdamWState,
  clipScale,
  completeSchedule,
  defaultSchedule,
  learningRateAt,
  type Schedule,
  scheduleSchema,
} from "../optim/index.js";
