import * as tf from "@tensorflow/tfjs-core";
import { stopGradient } from "./stop-gradient.js";

/** Squared length below which a vector counts as 0. */
const smallestSquare = 1e-24;

/**
 * Vectors along an axis divided by their lengths. A vector of 0 stays 0 and gets a gradient of 0,
 * where the true one would be infinite.
 */
export function unitVectors<T extends tf.Tensor>(x: T, axis = -1): T {
  const squares = x.square().sum(axis, true);
  const isZero = stopGradient(squares).less(smallestSquare);
  const length = tf.where(isZero, tf.onesLike(squares), squares).sqrt();
  return x.div(length).mul(isZero.logicalNot().toFloat()) as T;
}

/** Cosine of the angle between vectors along the last axis; 0 if one of them is 0. */
export function cosineSimilarity(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return unitVectors(a).mul(unitVectors(b)).sum(-1);
}
