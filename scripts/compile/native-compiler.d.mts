/** The first C compiler that answers: as a command with its first arguments. */
export function findCompiler(): string[] | undefined;

/** Of this machine, in the names of binaries: linux-x64-glibc. */
export function platformName(): string;
