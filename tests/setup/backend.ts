import * as tf from "@tensorflow/tfjs";

/** The plain JavaScript backend, without its advice to install tfjs-node. */
export async function useCpu(): Promise<void> {
  await tf.setBackend("cpu");
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
}
