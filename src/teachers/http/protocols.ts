import { llamaCppProtocol } from "./llama-cpp.js";
import { openaiProtocol } from "./openai.js";
import type { TeacherProtocol } from "./protocol.js";
import { sglangProtocol } from "./sglang.js";
import { vllmProtocol } from "./vllm.js";

/** Every kind of server, one line each. */
export const teacherProtocols = {
  vllm: vllmProtocol,
  sglang: sglangProtocol,
  "llama.cpp": llamaCppProtocol,
  openai: openaiProtocol,
} as const satisfies Record<string, TeacherProtocol>;

export type TeacherServer = keyof typeof teacherProtocols;
/** Names of the protocols that a server of a teacher may speak. */
export const teacherServers = Object.keys(teacherProtocols) as [TeacherServer, ...TeacherServer[]];
