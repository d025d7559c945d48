import { decodeCompletion, encodePrompt, Random, sampleRollouts } from "pupil";
import { loadModel, startInBrowser, urlFolder } from "pupil/browser";
import { ownDistribution } from "pupil/rollouts";

const element = (id) => document.getElementById(id);
const say = (text) => (element("state").textContent = text);

/** Samples of one seed: every press is another one, and the same after every loading of the page. */
const random = new Random(1).stream("page");
let presses = 0;

async function write({ model, tokenizer }) {
  const prompt = element("prompt").value;
  const promptIds = encodePrompt(tokenizer, prompt);
  const [{ completionIds }] = await sampleRollouts({
    ...{ model, prompts: [promptIds], endIds: tokenizer.endIds, padId: tokenizer.padId },
    ...{ maxNewTokens: 40, policy: ownDistribution, random, sequenceIds: [presses++] },
  });
  element("text").textContent = prompt + decodeCompletion(tokenizer, promptIds, completionIds);
}

try {
  const { line } = await startInBrowser();
  // The folder "model" beside the page: config.json, model.safetensors and the tokenizer's files.
  const loaded = await loadModel(urlFolder("model"));
  element("write").onclick = () => write(loaded).catch(({ message }) => say(message));
  element("write").disabled = false;
  say(line);
} catch (error) {
  say(error.message);
}
