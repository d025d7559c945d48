import type { Filter, Library, Test } from "./library-types.js";
import { listFilters } from "./list-filters.js";
import { notSupported, TemplateError } from "../template-error.js";
import { tests } from "./tests.js";
import { valueFilters } from "./value-filters.js";

/** Filters of Jinja that chat templates do not use, or that mark text as HTML: refused by name. */
const otherFilters = [
  ...["batch", "e", "escape", "filesizeformat", "forceescape", "groupby", "pprint", "random"],
  ...["safe", "slice", "striptags", "truncate", "urlencode", "urlize", "wordwrap", "xmlattr"],
];

const filters: Readonly<Record<string, Filter>> = { ...valueFilters, ...listFilters };

export const library: Library = {
  findFilter(name) {
    if (Object.hasOwn(filters, name)) return filters[name] as Filter;
    if (otherFilters.includes(name)) throw notSupported(`the filter "${name}"`);
    throw new TemplateError(`No filter named '${name}'.`);
  },
  isFilter: (name) => Object.hasOwn(filters, name) || otherFilters.includes(name),
  findTest(name) {
    if (Object.hasOwn(tests, name)) return tests[name] as Test;
    if (name === "escaped") throw notSupported('the test "escaped"');
    throw new TemplateError(`No test named '${name}'.`);
  },
};
