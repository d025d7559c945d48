/** The conformance of every op on TensorFlow's C library: our kernels, and the composed ones where there is none. */
import { describe } from "vitest";
import { hasTensorflow, onTensorflow, useTensorflow } from "../../setup/backends/tensorflow.js";
import { describeOpsOn } from "../ops/describe-ops.js";

describe.skipIf(!hasTensorflow)(onTensorflow, () => {
  describeOpsOn("TensorFlow", useTensorflow, { least: 2e-2, staysOnDevice: true });
});
