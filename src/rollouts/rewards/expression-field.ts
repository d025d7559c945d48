import { z } from "zod";

/** A field that holds a regular expression. */
export function expressionField() {
  return z.string().refine(isExpression, { message: "is no regular expression" });
}

function isExpression(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}
