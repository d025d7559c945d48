export { type HttpTeacher, httpTeacher, type HttpTeacherOptions } from "./http-teacher.js";
export { teacherProtocols, type TeacherServer, teacherServers } from "./protocols.js";
