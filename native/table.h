/* Every kernel: its name and a letter per argument, in the order of exports.ts (see kernels.h). */
#define PUPIL_KERNELS(K) \
  K(matmul, "ppppiiiiiii")
