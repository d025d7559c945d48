import { expect, test } from "vitest";
import { html, trusted } from "../../../../src/node/pages/html.js";
import { policyOf } from "../../../../src/node/pages/page.js";
import { shortNumber } from "../../../../src/node/pages/numbers.js";
import { withoutSecrets } from "../../../../src/node/pages/secrets.js";

test("what is put into HTML is escaped unless it is HTML; a list is its parts, undefined is nothing", () => {
  const bad = `<script>"&'`;
  expect(html`<p title="${bad}">${bad}</p>`.html).toBe(
    '<p title="&lt;script&gt;&quot;&amp;&#39;">&lt;script&gt;&quot;&amp;&#39;</p>',
  );
  const list = ["<a>", "<b>"].map((name) => html`<li>${name}</li>`);
  expect(html`<ul>${list}${undefined}${7}${trusted("<hr>")}</ul>`.html).toBe(
    "<ul><li>&lt;a&gt;</li><li>&lt;b&gt;</li>7<hr></ul>",
  );
});

test("secrets of a config are hidden, names of variables and settings of tokenizers are not", () => {
  const config = {
    teacher: {
      url: "https://me:pw@host:80/v1?key=abc#x",
      apiKeyVariable: "OPENAI_API_KEY",
      apiKey: "sk-1",
      headers: { Authorization: "Bearer x", "X-Api-Token": ["a", "b"] },
      tokenizer: "models/t",
    },
    trainer: { maxNewTokens: 5, note: "http is fine: see https-less text" },
  };
  expect(withoutSecrets(config)).toEqual({
    teacher: {
      url: "https://[hidden]@host:80/v1?[hidden]#x",
      apiKeyVariable: "OPENAI_API_KEY",
      apiKey: "[hidden]",
      headers: { Authorization: "[hidden]", "X-Api-Token": ["[hidden]", "[hidden]"] },
      tokenizer: "models/t",
    },
    trainer: { maxNewTokens: 5, note: "http is fine: see https-less text" },
  });
});

test("a page lets nothing run and nothing load but its own scripts", () => {
  expect(policyOf(["alert(1)"])).toBe(
    "default-src 'none'; style-src 'unsafe-inline'; " +
      "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; " +
      "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'",
  );
  expect(policyOf([])).toContain("script-src 'none'");
});

test.each([
  [0, "0"],
  [0.12345, "0.123"],
  [0.000234, "2.3 × 10⁻⁴"],
  [-12345.6, "-12,346"],
  [Number.NaN, "NaN"],
])("%d is read as %s", (value, text) => {
  expect(shortNumber(value)).toBe(text);
});
