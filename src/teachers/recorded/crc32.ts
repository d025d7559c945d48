import { checksum32 } from "../../data/index.js";

/** As in zip and PNG. */
export const crc32 = checksum32(0xedb88320);
