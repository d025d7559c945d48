export const softwareDriver: string | undefined;
export function vulkanEnvironment(env?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export function withDriver(driver: string, env?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
