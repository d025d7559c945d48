import { z } from "zod";
import { backendChoices, type BackendChoice } from "../../backend/index.js";

/** Which backend a command computes with. */
export const backendField = (fallback: BackendChoice) =>
  z.enum(backendChoices).default(fallback).describe("Where to compute.");
