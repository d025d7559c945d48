import type { ChainProblem, Fact, Wording } from "./chain-problem.js";

// 26 each: the longest problem has 8 hops, 9 given quantities and 8 distractors.
const symbolNames = Array.from("abcdefghijklmnopqrstuvwxyz");
const personNames = (
  "Ann Bob Cy Dan Eve Flo Gus Hal Ivy Jo Kim Lee Max Ned Ora Pam Quin Ray Sue Tom Uma Val Wes " +
  "Xia Yan Zoe"
).split(" ");

export function namesFor(wording: Wording): readonly string[] {
  return wording === "symbols" ? symbolNames : personNames;
}

export function chainAlphabet(wording: Wording): string {
  const trace = "0123456789+-*= \n";
  if (wording === "symbols") return `${trace};?${symbolNames.join("")}`;
  return `${trace}.?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz`;
}

export function writePrompt({ facts, hops, wording }: ChainProblem): string {
  const asked = hops.at(-1) as string;
  if (wording === "symbols") return `${facts.map(writeEquation).join(";")};${asked}?`;
  return `${facts.map(writeSentence).join(" ")} How many has ${asked}?\n`;
}

function writeEquation(fact: Fact): string {
  if ("value" in fact) return `${fact.name}=${fact.value}`;
  return `${fact.name}=${fact.left}${fact.operation}${fact.right}`;
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
