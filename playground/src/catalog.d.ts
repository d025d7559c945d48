/** What the build reads from the registry: see `catalogPlugin`. */
declare module "virtual:catalog" {
  export const catalog: unknown;
}
