import { fma, fnma } from "./simd";
import { float, int, parallel, pointer, setFloat, setInt, setPointer } from "./threads";

/** y = one head x turned by the angles of its token; y may be x. */
export function rotateHead(x: usize, cos: usize, sin: usize, y: usize, half: i32, sign: f32): void {
  const signs = f32x4.splat(sign);
  const other = <usize>half << 2;
  let i = 0;
  for (; i + 4 <= half; i += 4) {
    const at = <usize>i << 2;
    const c = v128.load(cos + at);
    const s = f32x4.mul(v128.load(sin + at), signs);
    const a = v128.load(x + at);
    const b = v128.load(x + at + other);
    v128.store(y + at, fnma(b, s, f32x4.mul(a, c)));
    v128.store(y + at + other, fma(a, s, f32x4.mul(b, c)));
  }
  for (; i < half; i++) {
    const at = <usize>i << 2;
    const c = load<f32>(cos + at);
    const s = load<f32>(sin + at) * sign;
    const a = load<f32>(x + at);
    const b = load<f32>(x + at + other);
    store<f32>(y + at, a * c - b * s);
    store<f32>(y + at + other, b * c + a * s);
  }
}

// Arguments: 0 x, 1 cos, 2 sin, 3 y, 4 heads, 5 half, 6 sign
function rotaryTask(begin: i32, end: i32): void {
  const heads = int(4);
  const half = int(5);
  for (let token = begin; token < end; token++) {
    const cos = pointer(1) + ((<usize>token * <usize>half) << 2);
    const sin = pointer(2) + ((<usize>token * <usize>half) << 2);
    for (let h = 0; h < heads; h++) {
      const base = (<usize>(token * heads + h) * <usize>half) << 3;
      rotateHead(pointer(0) + base, cos, sin, pointer(3) + base, half, float(6));
    }
  }
}

/** Turns the pairs (i, i + half) of every head by the angles of its token; sign -1 turns back. */
export function rotary(
  x: usize, cos: usize, sin: usize, y: usize, tokens: i32, heads: i32, half: i32, sign: f32,
): void {
  setPointer(0, x);
  setPointer(1, cos);
  setPointer(2, sin);
  setPointer(3, y);
  setInt(4, heads);
  setInt(5, half);
  setFloat(6, sign);
  parallel(rotaryTask.index, tokens, max(1, 4096 / max(1, heads * half)));
}
