import { withPrefixTransform } from "./with-prefix.js";

/** Steps that rewrite traces. */
export const transforms = [withPrefixTransform] as const;
