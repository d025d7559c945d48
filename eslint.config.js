import tseslint from "typescript-eslint";

const noTidyAsync = {
  selector: "CallExpression[callee.property.name='tidy'] > ArrowFunctionExpression[async=true]",
  message: "tf.tidy cannot be async: it leaks everything after the first await.",
};
const noKeep = {
  selector: "MemberExpression[object.name='tf'][property.name=/^(keep|engine|variable)$/]",
  message: "Only src/tensors knows tfjs memory rules: use createVariable, keepTensor or runKernel.",
};
const noMathRandom = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: "Randomness is seeded: use the counter-based generator of src/tensors.",
};
const noDefaultExport = {
  selector: "ExportDefaultDeclaration",
  message: "Named exports only.",
};

export default tseslint.config(
  {
    ignores: [
      "dist/**",
      "node_modules/**",
      "runs/**",
      "**/*.js",
      "**/fixtures/**",
      "**/assembly/**",
    ],
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": ["error", noTidyAsync, noKeep, noMathRandom, noDefaultExport],
      "no-console": "error",
    },
  },
  {
    files: ["src/tensors/**", "src/backend/**"],
    rules: { "no-restricted-syntax": ["error", noTidyAsync, noMathRandom, noDefaultExport] },
  },
  {
    files: ["src/cli/**", "examples/**", "scripts/**", "bench/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["tests/**", "**/*.config.ts"],
    rules: { "no-restricted-syntax": ["error", noTidyAsync, noMathRandom], "no-console": "off" },
  },
);
