/** What makes tfjs-core's ops differentiable, and methods of its tensors. Node gets it as one file, see `#tfjs-registrations`. */
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
