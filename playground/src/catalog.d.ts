declare module "virtual:catalog" {
  export const catalog: import("./training/catalog.js").Catalog;
}
