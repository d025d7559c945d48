/*
 * One vector of floats of the width of the instruction set that the file is compiled for (PUPIL_ISA),
 * and the operations that kernels need on it. Kernels are written once against these names and
 * compiled once per instruction set. Nothing here reorders a sum, and no -ffast-math: NaN and
 * infinities mean something in masks and losses. -ffp-contract=off: only `vfma` rounds once, and it
 * does so with every compiler.
 */
#ifndef PUPIL_SIMD_H
#define PUPIL_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define VW 16
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vmask;
#elif defined(__AVX2__)
#include <immintrin.h>
#define VW 8
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vmask;
#elif defined(__aarch64__)
#include <arm_neon.h>
#define VW 4
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vmask;
#else
/* 128 bits without fused multiply-add: SSE2, and whatever else GCC or clang make of it. */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#define VW 4
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi vmask;
#endif

#define INLINE static inline __attribute__((always_inline))

/* Loads and stores need no alignment. `count` is 0..VW; lanes past it are `fill`, and are not touched. */
#if defined(__AVX512F__)
INLINE vf vset(float x) { return _mm512_set1_ps(x); }
INLINE vi viset(int32_t x) { return _mm512_set1_epi32(x); }
INLINE vf vload(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vstore(float *p, vf v) { _mm512_storeu_ps(p, v); }
INLINE __mmask16 vfirst(int count) { return (__mmask16)((1u << count) - 1); }
INLINE vf vload_part(const float *p, int count, float fill) {
  return _mm512_mask_loadu_ps(vset(fill), vfirst(count), p);
}
INLINE void vstore_part(float *p, vf v, int count) { _mm512_mask_storeu_ps(p, vfirst(count), v); }
INLINE vf vadd(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vsub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vmul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vdiv(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vsqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE vf vfma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vfnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vf vmax(vf a, vf b) { return _mm512_max_ps(b, a); }
INLINE vf vmin(vf a, vf b) { return _mm512_min_ps(b, a); }
INLINE vmask vlt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE vmask vle(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
INLINE vmask veq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE vmask vne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
INLINE vmask vmask_or(vmask a, vmask b) { return (vmask)(a | b); }
INLINE vmask vmask_and(vmask a, vmask b) { return (vmask)(a & b); }
INLINE int vany(vmask m) { return m != 0; }
INLINE vf vselect(vmask m, vf yes, vf no) { return _mm512_mask_blend_ps(m, no, yes); }
INLINE vi viadd(vi a, vi b) { return _mm512_add_epi32(a, b); }
INLINE vi visub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
INLINE vi viand(vi a, vi b) { return _mm512_and_si512(a, b); }
INLINE vi vior(vi a, vi b) { return _mm512_or_si512(a, b); }
INLINE vi vishl(vi a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
INLINE vi vishr(vi a, int n) { return _mm512_srai_epi32(a, (unsigned)n); }
INLINE vf vcast(vi a) { return _mm512_castsi512_ps(a); }
INLINE vi vicast(vf a) { return _mm512_castps_si512(a); }
INLINE vf vfloat(vi a) { return _mm512_cvtepi32_ps(a); }
#elif defined(__AVX2__)
INLINE vf vset(float x) { return _mm256_set1_ps(x); }
INLINE vi viset(int32_t x) { return _mm256_set1_epi32(x); }
INLINE vf vload(const float *p) { return _mm256_loadu_ps(p); }
INLINE void vstore(float *p, vf v) { _mm256_storeu_ps(p, v); }
INLINE __m256i vfirst(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vf vload_part(const float *p, int count, float fill) {
  __m256i mask = vfirst(count);
  return _mm256_blendv_ps(vset(fill), _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask));
}
/* In pieces: a masked store of AVX is microcode on AMD, some ten cycles. */
INLINE void vstore_part(float *p, vf v, int count) {
  __m128 rest = _mm256_castps256_ps128(v);
  if (count & 4) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps(v, 1);
    p += 4;
  }
  if (count & 2) {
    _mm_storel_pi((__m64 *)(void *)p, rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if (count & 1) _mm_store_ss(p, rest);
}
INLINE vf vadd(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vsub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf vmul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf vdiv(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf vsqrt(vf a) { return _mm256_sqrt_ps(a); }
INLINE vf vfma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vfnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vf vmax(vf a, vf b) { return _mm256_max_ps(b, a); }
INLINE vf vmin(vf a, vf b) { return _mm256_min_ps(b, a); }
INLINE vmask vlt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
INLINE vmask vle(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
INLINE vmask veq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
INLINE vmask vne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
INLINE vmask vmask_or(vmask a, vmask b) { return _mm256_or_ps(a, b); }
INLINE vmask vmask_and(vmask a, vmask b) { return _mm256_and_ps(a, b); }
INLINE int vany(vmask m) { return _mm256_movemask_ps(m) != 0; }
INLINE vf vselect(vmask m, vf yes, vf no) { return _mm256_blendv_ps(no, yes, m); }
INLINE vi viadd(vi a, vi b) { return _mm256_add_epi32(a, b); }
INLINE vi visub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
INLINE vi viand(vi a, vi b) { return _mm256_and_si256(a, b); }
INLINE vi vior(vi a, vi b) { return _mm256_or_si256(a, b); }
INLINE vi vishl(vi a, int n) { return _mm256_slli_epi32(a, n); }
INLINE vi vishr(vi a, int n) { return _mm256_srai_epi32(a, n); }
INLINE vf vcast(vi a) { return _mm256_castsi256_ps(a); }
INLINE vi vicast(vf a) { return _mm256_castps_si256(a); }
INLINE vf vfloat(vi a) { return _mm256_cvtepi32_ps(a); }
#else
/* Unsigned, so that wrapping is defined. */
typedef uint32_t vu __attribute__((vector_size(16)));
INLINE vf vload(const float *p) { vf v; memcpy(&v, p, sizeof v); return v; }
INLINE void vstore(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vf vset(float x) { return (vf){x, x, x, x}; }
INLINE vi viset(int32_t x) { return (vi){x, x, x, x}; }
INLINE vf vload_part(const float *p, int count, float fill) {
  float lanes[VW];
  for (int i = 0; i < VW; i++) lanes[i] = i < count ? p[i] : fill;
  return vload(lanes);
}
INLINE void vstore_part(float *p, vf v, int count) {
  float lanes[VW];
  vstore(lanes, v);
  for (int i = 0; i < count; i++) p[i] = lanes[i];
}
INLINE vf vadd(vf a, vf b) { return a + b; }
INLINE vf vsub(vf a, vf b) { return a - b; }
INLINE vf vmul(vf a, vf b) { return a * b; }
INLINE vf vdiv(vf a, vf b) { return a / b; }
INLINE vi viadd(vi a, vi b) { return (vi)((vu)a + (vu)b); }
INLINE vi visub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
INLINE vi viand(vi a, vi b) { return a & b; }
INLINE vi vior(vi a, vi b) { return a | b; }
INLINE vi vishl(vi a, int n) { return (vi)((vu)a << n); }
INLINE vi vishr(vi a, int n) { return a >> n; }
INLINE vf vcast(vi a) { return (vf)a; }
INLINE vi vicast(vf a) { return (vi)a; }
#if defined(__aarch64__)
INLINE vf vsqrt(vf a) { return vsqrtq_f32(a); }
INLINE vf vfma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
INLINE vf vfnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
INLINE vmask vlt(vf a, vf b) { return vcltq_f32(a, b); }
INLINE vmask vle(vf a, vf b) { return vcleq_f32(a, b); }
INLINE vmask veq(vf a, vf b) { return vceqq_f32(a, b); }
INLINE vmask vne(vf a, vf b) { return vmvnq_u32(vceqq_f32(a, b)); }
INLINE vmask vmask_or(vmask a, vmask b) { return vorrq_u32(a, b); }
INLINE vmask vmask_and(vmask a, vmask b) { return vandq_u32(a, b); }
INLINE int vany(vmask m) { return vmaxvq_u32(m) != 0; }
INLINE vf vselect(vmask m, vf yes, vf no) { return vbslq_f32(m, yes, no); }
INLINE vf vfloat(vi a) { return vcvtq_f32_s32(a); }
#else
#if defined(__SSE2__)
INLINE vf vsqrt(vf a) { return _mm_sqrt_ps(a); }
#else
INLINE vf vsqrt(vf a) { return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])}; }
#endif
INLINE vf vfma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vfnma(vf a, vf b, vf c) { return c - a * b; }
INLINE vmask vlt(vf a, vf b) { return a < b; }
INLINE vmask vle(vf a, vf b) { return a <= b; }
INLINE vmask veq(vf a, vf b) { return a == b; }
INLINE vmask vne(vf a, vf b) { return a != b; }
INLINE vmask vmask_or(vmask a, vmask b) { return a | b; }
INLINE vmask vmask_and(vmask a, vmask b) { return a & b; }
INLINE int vany(vmask m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
INLINE vf vselect(vmask m, vf yes, vf no) { return (vf)((m & (vi)yes) | (~m & (vi)no)); }
INLINE vf vfloat(vi a) { return __builtin_convertvector(a, vf); }
#endif
INLINE vf vmax(vf a, vf b) { return vselect(vlt(a, b), b, a); }
INLINE vf vmin(vf a, vf b) { return vselect(vlt(b, a), b, a); }
#endif
/* vmax and vmin: a where b is NaN, NaN where a is: a running maximum passes NaN over. */

/* Lanes 0..count-1 of v, `other` in the rest; count is 0..VW. */
INLINE vf vkeep(vf v, int count, vf other) {
#if defined(__AVX512F__)
  return _mm512_mask_blend_ps(vfirst(count), other, v);
#elif defined(__AVX2__)
  return _mm256_blendv_ps(other, v, _mm256_castsi256_ps(vfirst(count)));
#else
  vi lane = {0, 1, 2, 3};
  vi keeps = (vi)(lane < viset(count));
  return vcast((keeps & vicast(v)) | (~keeps & vicast(other)));
#endif
}

INLINE vf vzero(void) { return vset(0); }
INLINE vf vabs(vf a) { return vcast(viand(vicast(a), viset(0x7fffffff))); }
INLINE vf vsign(vf a) { return vcast(viand(vicast(a), viset(INT32_MIN))); }
INLINE vf vneg(vf a) { return vsub(vset(-0.0f), a); }
/* The bits of both: a magnitude and a sign. */
INLINE vf vor(vf a, vf b) { return vcast(vior(vicast(a), vicast(b))); }
INLINE vf vload_upto(const float *p, int count, float fill) {
  return count >= VW ? vload(p) : vload_part(p, count, fill);
}
INLINE void vstore_upto(float *p, vf v, int count) {
  if (count >= VW) vstore(p, v);
  else vstore_part(p, v, count);
}

/*
 * Sum and maximum of the lanes, pairwise from halves, always in the same order: lane i and lane i + half.
 */
#if defined(__SSE2__)
INLINE float vsum4(__m128 v) {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
INLINE float vmaximum4(__m128 v) {
  v = _mm_max_ps(_mm_movehl_ps(v, v), v);
  return _mm_cvtss_f32(_mm_max_ss(_mm_shuffle_ps(v, v, 1), v));
}
#endif
#if defined(__AVX2__)
INLINE float vsum8(__m256 v) {
  return vsum4(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
INLINE float vmaximum8(__m256 v) {
  return vmaximum4(_mm_max_ps(_mm256_extractf128_ps(v, 1), _mm256_castps256_ps128(v)));
}
#endif
#if defined(__AVX512F__)
INLINE float vsum(vf v) {
  return vsum8(_mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)));
}
INLINE float vmaximum(vf v) {
  return vmaximum8(_mm256_max_ps(_mm512_extractf32x8_ps(v, 1), _mm512_castps512_ps256(v)));
}
#elif defined(__AVX2__)
INLINE float vsum(vf v) { return vsum8(v); }
INLINE float vmaximum(vf v) { return vmaximum8(v); }
#elif defined(__SSE2__)
INLINE float vsum(vf v) { return vsum4(v); }
INLINE float vmaximum(vf v) { return vmaximum4(v); }
#else
INLINE float vsum(vf v) { return (v[0] + v[2]) + (v[1] + v[3]); }
INLINE float vmaximum(vf v) {
  float even = v[0] < v[2] ? v[2] : v[0], odd = v[1] < v[3] ? v[3] : v[1];
  return even < odd ? odd : even;
}
#endif

/*
 * Elementary functions, the polynomials of assembly/math.ts. exp and log are within 2 units in the
 * last place of the exact value (tests/conformance/wasm-engine/native.test.ts).
 */

/* x·log2(e) rounded to a whole number n, as n + 1.5·2^23: the low bits of that float are n. */
INLINE vf vexp_shifted(vf x) { return vfma(x, vset(1.4426950408889634f), vset(12582912.0f)); }
/* x - n ln2; ln2 in two parts, of which n times the first is exact. */
INLINE vf vexp_remainder(vf x, vf shifted) {
  vf n = vsub(shifted, vset(12582912.0f));
  return vfnma(n, vset(-2.12194440e-4f), vfnma(n, vset(0.693359375f), x));
}
/* exp(r) - 1 for |r| ≤ ln2 / 2. */
INLINE vf vexp_near_zero(vf r) {
  vf p = vset(0.00019891980628017336f);
  p = vfma(p, r, vset(0.0013934541493654251f));
  p = vfma(p, r, vset(0.00833331048488617f));
  p = vfma(p, r, vset(0.04166645556688309f));
  p = vfma(p, r, vset(0.1666666716337204f));
  p = vfma(p, r, vset(0.5f));
  return vfma(vmul(r, r), p, r);
}
/* 2^n for n in -126..127, from n + 1.5·2^23. */
INLINE vf vexp_power(vi shifted) { return vcast(viadd(vishl(shifted, 23), viset(0x3f800000))); }

/* e^x; 0 below -104, infinity above 88.73, NaN stays. */
INLINE vf vexp(vf x) {
  x = vmax(vmin(x, vset(89)), vset(-105));
  vf shifted = vexp_shifted(x);
  vf y = vadd(vexp_near_zero(vexp_remainder(x, shifted)), vset(1));
#if defined(__AVX512F__)
  return _mm512_scalef_ps(y, vsub(shifted, vset(12582912.0f)));
#else
  /* Two factors, because 2^128 and 2^-150 are no floats. */
  vi whole = visub(vicast(shifted), viset(0x4b400000));
  vi half = vishr(whole, 1);
  return vmul(vmul(y, vexp_power(half)), vexp_power(visub(whole, half)));
#endif
}

/* e^x for x ≤ 0 that is 0 below -87: all that a softmax needs, and faster. */
INLINE vf vexp_negative(vf x) {
  vf clamped = vmax(x, vset(-87));
  vf shifted = vexp_shifted(clamped);
  vf y = vadd(vexp_near_zero(vexp_remainder(clamped, shifted)), vset(1));
  y = vmul(y, vexp_power(vicast(shifted)));
  return vselect(vlt(x, vset(-87)), vzero(), y);
}

/* Natural logarithm: -infinity at 0, NaN below. */
INLINE vf vlog(vf x) {
  vmask tiny = vlt(x, vset(1.1754943508222875e-38f)); /* subnormal numbers are scaled up first */
  vf scaled = vselect(tiny, vmul(x, vset(8388608.0f)), x);
  /* The exponent that leaves the mantissa in [√½, √2). */
  vi exponent = vishr(visub(vicast(scaled), viset(0x3f3504f3)), 23);
  vf f = vsub(vcast(visub(vicast(scaled), vishl(exponent, 23))), vset(1));
  vf e = vsub(vfloat(exponent), vselect(tiny, vset(23), vzero()));
  vf p = vset(0.06972518563270569f);
  p = vfma(p, f, vset(-0.11481212079524994f));
  p = vfma(p, f, vset(0.1168578490614891f));
  p = vfma(p, f, vset(-0.1242552325129509f));
  p = vfma(p, f, vset(0.14249007403850555f));
  p = vfma(p, f, vset(-0.1666780710220337f));
  p = vfma(p, f, vset(0.20000717043876648f));
  p = vfma(p, f, vset(-0.2499999701976776f));
  p = vfma(p, f, vset(0.3333333134651184f));
  vf near = vmul(vmul(f, f), vfma(p, f, vset(-0.5f)));
  vf y = vfma(e, vset(0.693359375f), vadd(vfma(e, vset(-2.12194440e-4f), near), f));
  y = vselect(veq(x, vzero()), vset(-INFINITY), y);
  y = vselect(vlt(x, vzero()), vset(NAN), y);
  return vselect(vmask_or(veq(x, vset(INFINITY)), vne(x, x)), x, y);
}

#endif
