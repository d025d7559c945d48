import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { liveTensors, tensorIds } from "./live-tensors.js";

/** Where this file calls what makes tensors; of a scope, where it opens it. */
const makers: Record<string, () => tf.Tensor | tf.Tensor[]> = {
  "an operation": () => tf.zeros([2]),
  "a tensor of values": () => tf.tensor1d([1]),
  "a variable": () => tf.tidy(() => tf.variable(tf.zeros([2]))),
  "the result of a scope": () => tf.tidy(() => tf.zeros([2]).add(1)),
  "the results of nested scopes": () =>
    tf.tidy(() => [1, 2].map((x) => tf.tidy(() => tf.ones([x])))),
  "one that is kept in a scope": () => {
    const kept: tf.Tensor[] = [];
    tf.tidy(() => {
      kept.push(tf.keep(tf.zeros([2]).add(1)));
    });
    return kept;
  },
};

test.each(Object.entries(makers))(
  "the leak guard sees %s, with its line, until it ends",
  (_, make) => {
    const before = tensorIds();
    const made = make();
    const live = liveTensors(before);
    expect(live).toHaveLength([made].flat().length);
    for (const line of live) expect(line).toMatch(/guards\.test\.ts:\d+/);
    tf.dispose(made);
    expect(liveTensors(before)).toEqual([]);
  },
);
