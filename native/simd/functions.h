/* The elementary functions that simd.h has no need of: the polynomials of assembly/math.ts. */
#ifndef PUPIL_FUNCTIONS_H
#define PUPIL_FUNCTIONS_H

#include "simd/simd.h"

/* e^x - 1 for x ≤ 0, precise near 0. */
INLINE vf vexpm1_negative(vf x) {
  x = vmax(x, vset(-87));
  vf shifted = vexp_shifted(x);
  vf y = vexp_near_zero(vexp_remainder(x, shifted));
  vf scale = vexp_power(vicast(shifted));
  return vfma(y, scale, vsub(scale, vset(1)));
}

/* log(1 + f) for f ≥ -1, precise near 0. */
INLINE vf vlog1p(vf f) {
  vf u = vadd(vset(1), f);
  vf lost = vsub(f, vsub(u, vset(1)));
  /* Where u is 0 nothing was lost, and 0 / 0 would be NaN. */
  vf correction = vdiv(lost, vselect(veq(u, vzero()), vset(1), u));
  return vadd(vlog(u), correction);
}

INLINE vf vsigmoid(vf x) {
  /* Beyond 87 the result is 1 or below 2e-38 anyway: one factor 2^n is enough. */
  vf clamped = vmax(vmin(vneg(x), vset(87)), vset(-87));
  vf shifted = vexp_shifted(clamped);
  vf y = vadd(vexp_near_zero(vexp_remainder(clamped, shifted)), vset(1));
  return vdiv(vset(1), vfma(y, vexp_power(vicast(shifted)), vset(1)));
}

INLINE vf vtanh(vf x) {
  vf z = vmul(x, x);
  vf p = vset(0.002292744815349579f);
  p = vfma(p, z, vset(-0.008343945257365704f));
  p = vfma(p, z, vset(0.02176891826093197f));
  p = vfma(p, z, vset(-0.053959257900714874f));
  p = vfma(p, z, vset(0.13333304226398468f));
  p = vfma(p, z, vset(-0.3333333432674408f));
  vf near = vfma(vmul(x, z), p, x);
  vf magnitude = vabs(x);
  vf e = vexp(vadd(magnitude, magnitude));
  vf far = vsub(vset(1), vdiv(vset(2), vadd(e, vset(1))));
  return vselect(vlt(magnitude, vset(0.625f)), near, vor(far, vsign(x)));
}

INLINE vf verf(vf x) {
  vf z = vmul(x, x);
  vf p = vset(-9.667044650996104e-6f);
  p = vfma(p, z, vset(0.00011265958892181516f));
  p = vfma(p, z, vset(-0.0008484080317430198f));
  p = vfma(p, z, vset(0.005221031606197357f));
  p = vfma(p, z, vset(-0.026865430176258087f));
  p = vfma(p, z, vset(0.11283782124519348f));
  p = vfma(p, z, vset(-0.37612637877464294f));
  p = vfma(p, z, vset(1.128379225730896f));
  vf near = vmul(x, p);
  /* 1 - e^(-x²) q(1/|x|); beyond 4 that is 1 to the last bit. */
  vf magnitude = vmin(vabs(x), vset(4));
  vf t = vdiv(vset(1), magnitude);
  vf q = vset(-0.018976593390107155f);
  q = vfma(q, t, vset(0.12556739151477814f));
  q = vfma(q, t, vset(-0.3629220128059387f));
  q = vfma(q, t, vset(0.5839924216270447f));
  q = vfma(q, t, vset(-0.5103013515472412f));
  q = vfma(q, t, vset(0.052327342331409454f));
  q = vfma(q, t, vset(0.5575336217880249f));
  q = vfma(q, t, vset(0.00036271745921112597f));
  vf far = vfnma(vexp(vneg(vmul(magnitude, magnitude))), q, vset(1));
  return vselect(vlt(vabs(x), vset(1)), near, vor(far, vsign(x)));
}

/* Logarithm of one number, the same as that of a lane. */
INLINE float log_one(float x) {
  float lanes[VW];
  vstore(lanes, vlog(vset(x)));
  return lanes[0];
}

#endif
