// The install script of onnxruntime-node calls this first, and then fetches CUDA files from outside the
// npm registry unless its variable says "skip". A line in .npmrc would say so too, but npm warns about it
// in front of every command. Whoever sets the variable decides.
exports.bootstrap = () => {
  process.env.ONNXRUNTIME_NODE_INSTALL ??= "skip";
};
