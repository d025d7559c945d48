import "@tensorflow/tfjs-backend-cpu";
import "#tfjs-registrations";
import * as tf from "@tensorflow/tfjs-core";

/** The plain JavaScript backend, without its advice to install tfjs-node. */
export async function useCpu(): Promise<void> {
  await tf.setBackend("cpu");
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
}
