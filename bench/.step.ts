import * as tf from "@tensorflow/tfjs";
import { startWasmBackend } from "/work/engine/src/backend/wasm/index.js";
import { nodeWasmPlatform } from "/work/engine/src/node/wasm-platform.js";
import * as models from "/work/engine/src/models/index.js";
import { forwardKlFromLogits, adamwUpdate, globalNorm } from "/work/engine/src/ops/index.js";
import { Random, variableGradients } from "/work/engine/src/tensors/index.js";
import { AdamW, clipScale } from "/work/engine/src/optim/index.js";
import { maskedSum } from "/work/engine/src/losses/index.js";
const backendName = process.argv[2] ?? "wasm"; const nt = +(process.argv[3] ?? 2); const family = process.argv[4] ?? "llama"; const rounds=+(process.argv[5]??10);
const build = process.argv[6] as any;
if (backendName === "cpu") await tf.setBackend("cpu"); else await startWasmBackend(nodeWasmPlatform, { numThreads: nt, ...(build?{build}:{}) });
const config = models.modelConfigSchema.parse({ family, vocabSize: 512, hiddenSize: 128, numLayers: 4, numHeads: 4, maxPositions: 128, intermediateSize: family==="llama"?344:512 } as any);
const model = models.initializeDecoder(config, new Random(1));
const vars = [...model.parameters.values()];
const opt = new AdamW(model.parameters as any);
const B=16,T=64,V=512;
const r = new Random(2);
const ids = tf.tensor2d(Int32Array.from({length:B*T},()=>r.integer(V)),[B,T],"int32");
const mask = tf.ones([B,T]) as tf.Tensor2D;
const teacher = tf.tensor3d(Float32Array.from({length:B*T*V},()=>r.normal()*2),[B,T,V]);
const profile: Record<string,[number,number]> = {};
async function step() {
  const names=[...model.parameters.keys()];
  const res = tf.tidy(()=>{
    const {value,gradients}=variableGradients(()=> maskedSum(forwardKlFromLogits(model.forward({inputIds:ids,attentionMask:mask}) as any, teacher,{temperature:1}) as any, mask).div(B*T).asScalar() as any, vars as any);
    const norm=globalNorm(gradients);
    opt.apply(new Map(names.map((n,i)=>[n,gradients[i]!])),1e-3,clipScale(norm as any,1));
    return [value.clone(), norm.clone()];
  });
  const v=await res[0]!.data(); const n=await res[1]!.data(); tf.dispose(res); return [v[0],n[0]];
}
let t0=performance.now();
console.log(await step(), (performance.now()-t0).toFixed(0)+"ms first");
const times:number[]=[];
for(let i=0;i<rounds;i++){ t0=performance.now(); const v=await step(); times.push(performance.now()-t0); if(i===rounds-1) console.log(v, tf.memory().numTensors, (tf.memory() as any).bytesInUse, (tf.memory() as any).peakBytes); }
times.sort((a,b)=>a-b); console.log(backendName, nt, family, "median", times[times.length>>1]!.toFixed(1), "min", times[0]!.toFixed(1), "params", model.numParameters);
if(process.env.PROFILE){ const e:any=tf.engine(); const p=await tf.profile(()=>tf.tidy(()=>{ step(); return tf.scalar(0);})); const by:any={}; for(const k of p.kernels as any[]){ const x=by[k.name]??=[0,0]; x[0]++; x[1]+=typeof k.kernelTimeMs==="number"?k.kernelTimeMs:await k.kernelTimeMs; } console.log(Object.entries(by).sort((a:any,b:any)=>b[1][1]-a[1][1]).slice(0,40).map(([n,v]:any)=>`${n} ${v[0]} ${v[1].toFixed(2)}ms`).join("\n")); }
