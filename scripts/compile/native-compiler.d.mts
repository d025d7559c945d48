/** The first C compiler that answers: as a command with its first arguments. */
export function findCompiler(): string[] | undefined;
