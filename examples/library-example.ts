import { AdamW, initializeDecoder, lossTerm, modelConfigSchema, modelTeacher, reverseKlLoss } from "pupil";
