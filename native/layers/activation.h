#ifndef PUPIL_ACTIVATION_H
#define PUPIL_ACTIVATION_H

#include "simd/functions.h"

/*
 * By `op`, as in assembly/activation.ts:
 * 0 silu(a)·b   2 silu(a)   3 its gradient, dy = c   4 gelu(a) tanh   5 its gradient, dy = c
 * 6 gelu(a) erf   7 its gradient, dy = c        (1, two results, is in activation.c)
 */
INLINE vf activated(int op, vf a, vf b, vf c) {
  vf one = vset(1), half = vset(0.5f);
  if (op == 0) return vmul(vmul(a, vsigmoid(a)), b);
  if (op == 2) return vmul(a, vsigmoid(a));
  if (op == 3) {
    vf s = vsigmoid(a);
    return vmul(c, vmul(s, vfma(a, vsub(one, s), one)));
  }
  if (op == 4 || op == 5) {
    vf root = vset(0.7978845608028654f); /* √(2/π) */
    vf square = vmul(a, a);
    vf inner = vmul(vfma(square, vset(0.044715f), one), a);
    vf t = vtanh(vmul(inner, root));
    vf gate = vmul(vadd(t, one), half);
    if (op == 4) return vmul(a, gate);
    vf slope = vmul(vfma(square, vset(3 * 0.044715f), one), root);
    vf bend = vmul(vmul(vsub(one, vmul(t, t)), slope), a);
    return vmul(c, vfma(bend, half, gate));
  }
  vf gate = vmul(vadd(verf(vmul(a, vset(0.7071067811865476f))), one), half);
  if (op == 6) return vmul(a, gate);
  vf density = vmul(vexp(vmul(vmul(a, a), vset(-0.5f))), vset(0.3989422804014327f));
  return vmul(c, vfma(a, density, gate));
}

#endif
