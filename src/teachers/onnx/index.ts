export { type OnnxDecoder, openOnnxDecoder, withRows } from "./onnx-decoder.js";
export { onnxTeacher, type OnnxTeacherOptions } from "./onnx-teacher.js";
export type { OnnxSession, OnnxTensor, OnnxValueInfo } from "./session.js";
