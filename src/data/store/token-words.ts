/** Numbers as a token store holds them, 2 or 4 bytes each. */
export type TokenWords = Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
