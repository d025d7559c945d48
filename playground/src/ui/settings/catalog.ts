import { catalog as built } from "virtual:catalog";
import type { Catalog } from "../../training/catalog.js";

/** The losses and tasks of the registry, as `makeCatalog` gave them to the build. */
export const catalog = built as Catalog;
