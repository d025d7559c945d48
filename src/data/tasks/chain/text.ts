import type { ChainProblem, Fact, Wording } from "./problem.js";

// 26 each: the longest problem has 8 hops, 9 given quantities and 8 distractors.
const symbolNames = Array.from("abcdefghijklmnopqrstuvwxyz");
const personNames = (
  "Ann Bob Cy Dan Eve Flo Gus Hal Ivy Jo Kim Lee Max Ned Ora Pam Quin Ray Sue Tom Uma Val Wes " +
  "Xia Yan Zoe"
).split(" ");

export function namesFor(wording: Wording): readonly string[] {
  return wording === "sentences" ? personNames : symbolNames;
}

export function chainAlphabet(wording: Wording, hidden: boolean): string {
  const trace = "0123456789+-*= \n";
  if (wording !== "sentences") return `${trace};?${symbolNames.join("")}`;
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return `${trace}.?${letters}${hidden ? ";" : ""}`;
}

export function writePrompt({ facts, hops, wording }: ChainProblem): string {
  const asked = hops.at(-1) as string;
  switch (wording) {
    case "symbols":
      return `${facts.map(writeEquation).join(";")};${asked}?`;
    case "table":
      return `${writeTable(facts)}\n${asked}?`;
    case "sentences":
      return `${facts.map(writeSentence).join(" ")} How many has ${asked}?\n`;
  }
}

export function writeEquation(fact: Fact): string {
  if ("value" in fact) return `${fact.name}=${fact.value}`;
  return `${fact.name}=${fact.left}${fact.operation}${fact.right}`;
}

/** A column per fact, so that no line says anything by itself; what a given quantity lacks is `;`. */
function writeTable(facts: readonly Fact[]): string {
  const cells = facts.map((fact) =>
    "value" in fact
      ? [fact.name, fact.value, "=", ";"]
      : [fact.name, fact.left, fact.operation, fact.right],
  );
  return [0, 1, 2, 3].map((row) => cells.map((column) => column[row]).join(" ")).join("\n");
}

function writeSentence(fact: Fact): string {
  if ("value" in fact) return `${fact.name} has ${fact.value}.`;
  const { name, left, operation, right } = fact;
  const isNumber = typeof right === "number";
  switch (operation) {
    case "+":
      return isNumber
        ? `${name} has ${right} more than ${left}.`
        : `${name} has as many as ${left} plus ${right}.`;
    case "-":
      return isNumber
        ? `${name} has ${right} less than ${left}.`
        : `${name} has as many as ${left} minus ${right}.`;
    case "*":
      return `${name} has ${right} times as many as ${left}.`;
  }
}
