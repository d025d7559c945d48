/**
 * Every small mistake that somebody could make in a source file and that would still compile: the
 * type checker says which arguments may be left out or change places, and what is a number.
 */
import ts from "typescript";

export interface Mutant {
  /** Path from the repository root. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** What stands there instead. */
  readonly to: string;
  /** How it is switched: by a conditional expression or an `if`; an insertion has no length. */
  readonly kind: "expression" | "statement" | "insertion";
  /** In words, `< → <=`. */
  readonly what: string;
  /** The source line, and which of the same mutants of such lines it is: known after lines move. */
  readonly line: string;
  readonly nth: number;
}

interface Change {
  readonly node: ts.Node;
  readonly to: string;
  readonly what: string;
}

/** Of a function: before its first statement. */
const early = "early return";

const comparisons: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
};
const arithmetic: Readonly<Record<string, string>> = {
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "**": "*" },
  ...{ "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=" },
};
/** Of `Math` and of tensors. */
const methods: Readonly<Record<string, string>> = {
  ...{ floor: "ceil", ceil: "floor", round: "floor", min: "max", max: "min" },
  ...{ add: "sub", sub: "add", mul: "div", div: "mul", sum: "mean", mean: "sum" },
  ...{ maximum: "minimum", minimum: "maximum", argMax: "argMin", exp: "neg" },
  ...{ greater: "greaterEqual", greaterEqual: "greater", less: "lessEqual", lessEqual: "less" },
};
/** What is only said, or only laid out for the eye. */
const texts = /^(toFixed|toPrecision|toLocaleString|padStart|padEnd|stringify|show\w*)$/;
const textFields = /^(summary|description|remedy|reference|help|title)$/;

/** @param program of the repository @param root its folder @param files paths from there */
export function findMutants(program: ts.Program, root: string, files: readonly string[]): Mutant[] {
  return files.flatMap((file) => {
    const source = program.getSourceFile(`${root}/${file}`);
    if (source === undefined) throw new Error(`${file} is not part of the program.`);
    return mutantsOf(source, file, program.getTypeChecker());
  });
}

function mutantsOf(source: ts.SourceFile, file: string, checker: ts.TypeChecker): Mutant[] {
  const mutants: Mutant[] = [];
  const counts = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return;
    for (const { node: place, to, what } of changesOf(node, checker)) {
      const start = place.getStart(source);
      const kind =
        what === early ? "insertion" : ts.isStatement(place) ? "statement" : "expression";
      const end = kind === "insertion" ? start : place.getEnd();
      const { line: row } = source.getLineAndCharacterOfPosition(start);
      const line = (source.text.split("\n")[row] ?? "").trim();
      const key = `${line}\0${what}`;
      const nth = counts.get(key) ?? 0;
      counts.set(key, nth + 1);
      mutants.push({ file, start, end, to, kind, what, line, nth });
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return mutants;
}

/** Types, imports, error texts and other words, and everything that frees memory. */
function isLeftAlone(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return true;
  }
  if (ts.isThrowStatement(node) || ts.isTemplateExpression(node)) return true;
  if (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return true;
  if (ts.isNewExpression(node)) return /Error$/.test(node.expression.getText());
  if (ts.isCallExpression(node)) return texts.test(calledName(node));
  if (ts.isExpressionStatement(node)) return freesMemory(node.expression);
  if (ts.isMethodDeclaration(node)) return /dispose/i.test(node.name.getText());
  if (ts.isPropertyAssignment(node)) return textFields.test(node.name.getText());
  return false;
}

function calledName({ expression }: ts.CallExpression): string {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
}

const freesMemory = (expression: ts.Expression): boolean =>
  /\b(dispose\w*|release\w*|close|end|unref)(\?\.)?\(|Symbol\.(async)?dispose/i.test(
    expression.getText().split("\n")[0] ?? "",
  );

function changesOf(node: ts.Node, checker: ts.TypeChecker): Change[] {
  if (ts.isBinaryExpression(node)) return binaryChanges(node, checker);
  if (ts.isNumericLiteral(node)) return numberChanges(node);
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return callChanges(node, checker);
  if (ts.isObjectLiteralExpression(node)) return fieldChanges(node, checker);
  if (ts.isPrefixUnaryExpression(node)) return prefixChanges(node);
  if (ts.isIfStatement(node)) return ifChanges(node);
  if (ts.isConditionalExpression(node)) return [negated(node.condition)];
  if (ts.isExpressionStatement(node)) return removable(node) ? [removed(node)] : [];
  if (ts.isContinueStatement(node)) return [removed(node)];
  if (ts.isFunctionLike(node)) return earlyReturns(node, checker);
  const isTrue = node.kind === ts.SyntaxKind.TrueKeyword;
  if (isTrue && ts.isWhileStatement(node.parent)) return [];
  if (isTrue) return [replaced(node, "false")];
  return node.kind === ts.SyntaxKind.FalseKeyword ? [replaced(node, "true")] : [];
}

const shorten = (text: string) => {
  const line = text.replace(/\s+/g, " ");
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
};

const removed = (node: ts.Statement): Change => ({ node, to: "", what: "removed" });

const replaced = (node: ts.Node, to: string): Change => ({
  node,
  to,
  what: `${shorten(node.getText())} → ${shorten(to)}`,
});

function binaryChanges(node: ts.BinaryExpression, checker: ts.TypeChecker): Change[] {
  const { left, right, operatorToken } = node;
  const operator = operatorToken.getText();
  const withOperator = (to: string) => [
    { node, to: `(${left.getText()}) ${to} (${right.getText()})`, what: `${operator} → ${to}` },
  ];
  if (operator === "&&") return withOperator("||");
  if (operator === "||") return withOperator("&&");
  if (operator === "??") return [{ node, to: right.getText(), what: "?? always" }];
  const comparison = comparisons[operator];
  if (comparison !== undefined) return withOperator(comparison);
  const other = arithmetic[operator];
  // A loop that never ends says nothing about the tests.
  if (other === undefined || (operator.endsWith("=") && isLoopPart(node))) return [];
  return isNumber(left, checker) && isNumber(right, checker) ? withOperator(other) : [];
}

const isLoopPart = (node: ts.Node): boolean =>
  ts.isForStatement(node.parent) && node.parent.incrementor === node;

const isNumber = (node: ts.Expression, checker: ts.TypeChecker): boolean =>
  (checker.getTypeAtLocation(node).flags & ts.TypeFlags.NumberLike) !== 0;

function numberChanges(node: ts.NumericLiteral): Change[] {
  if (ts.isPropertyAssignment(node.parent) && node.parent.name === node) return [];
  const value = Number(node.text);
  if (!Number.isInteger(value) || value > 2 ** 31)
    return [replaced(node, `(2 * ${node.getText()})`)];
  const more = replaced(node, String(value + 1));
  return value > 0 ? [more, replaced(node, String(value - 1))] : [more];
}

function prefixChanges(node: ts.PrefixUnaryExpression): Change[] {
  const isNot = node.operator === ts.SyntaxKind.ExclamationToken;
  const isMinus = node.operator === ts.SyntaxKind.MinusToken;
  return isNot || isMinus ? [replaced(node, node.operand.getText())] : [];
}

const negated = (condition: ts.Expression): Change => ({
  node: condition,
  to: `!(${condition.getText()})`,
  what: "negated",
});

function ifChanges(node: ts.IfStatement): Change[] {
  const { thenStatement: then, elseStatement } = node;
  const only = ts.isBlock(then) && then.statements.length === 1 ? then.statements[0] : then;
  const isGuard =
    elseStatement === undefined &&
    only !== undefined &&
    (ts.isThrowStatement(only) || ts.isReturnStatement(only) || ts.isBreakStatement(only));
  return isGuard ? [negated(node.expression), removed(node)] : [negated(node.expression)];
}

/** Not `super(…)`, and not a loop's only way on. */
function removable({ expression, parent }: ts.ExpressionStatement): boolean {
  if (ts.isStringLiteral(expression)) return false;
  return !/^super\b/.test(expression.getText()) && !ts.isWhileStatement(parent.parent);
}

function earlyReturns(node: ts.SignatureDeclaration, checker: ts.TypeChecker): Change[] {
  const body = "body" in node ? (node.body as ts.Node | undefined) : undefined;
  if (body === undefined || !ts.isBlock(body) || body.statements.length < 2) return [];
  if (/dispose|close/i.test(node.name?.getText() ?? "")) return [];
  const signature = checker.getSignatureFromDeclaration(node);
  if (signature === undefined) return [];
  const type = checker.typeToString(checker.getReturnTypeOfSignature(signature));
  const first = body.statements[0];
  if (!/^(void|Promise<void>)$/.test(type) || first === undefined) return [];
  return [{ node: first, to: "return;", what: early }];
}

function callChanges(
  node: ts.CallExpression | ts.NewExpression,
  checker: ts.TypeChecker,
): Change[] {
  if (isInsideChain(node)) return [];
  const args = [...(node.arguments ?? [])];
  const changes: Change[] = [];
  const head = node.getText().slice(0, (args[0]?.getStart() ?? 0) - node.getStart());
  const withArguments = (rest: readonly ts.Expression[], what: string) => ({
    node,
    to: `${head}${rest.map((arg) => arg.getText()).join(", ")})`,
    what,
  });
  const last = args.at(-1);
  if (
    last !== undefined &&
    acceptsFewer(node, args.length, checker) &&
    !isInferred(args, checker)
  ) {
    changes.push(withArguments(args.slice(0, -1), `without ${shorten(last.getText())}`));
  }
  for (let i = 0; i + 1 < args.length; i++) {
    const [a, b] = [args[i] as ts.Expression, args[i + 1] as ts.Expression];
    if (a.getText() === b.getText() || isSymmetric(node) || !canSwap(a, b, checker)) continue;
    const what = `swapped ${shorten(a.getText())}, ${shorten(b.getText())}`;
    changes.push(withArguments([...args.slice(0, i), b, a, ...args.slice(i + 2)], what));
  }
  const { expression } = node;
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(expression)) {
    const other = methods[expression.name.text];
    const owner = checker.getTypeAtLocation(expression.expression);
    if (other !== undefined && owner.getProperty(other) !== undefined) {
      const tail = node.getText().slice(expression.getText().length);
      const to = `${expression.expression.getText()}.${other}${tail}`;
      changes.push({ node, to, what: `${expression.name.text} → ${other}` });
    }
  }
  return changes;
}

/** Of which the order of the arguments says nothing. */
const isSymmetric = ({ expression }: ts.CallExpression | ts.NewExpression): boolean =>
  /^(Math\.(min|max|hypot|imul)|tf\.(add|mul|minimum|maximum))$/.test(expression.getText());

/** `tf.tensor1d(values, "int32")`, where the type of the values says the same. */
function isInferred(args: readonly ts.Expression[], checker: ts.TypeChecker): boolean {
  const [first, last] = [args[0], args.at(-1)];
  if (first === undefined || last === undefined || !ts.isStringLiteral(last)) return false;
  const type = checker.typeToString(checker.getTypeAtLocation(first));
  if (last.text === "float32") return /^(Float32Array|number\[\])/.test(type);
  return last.text === "int32" && /^Int32Array/.test(type);
}

/** `a?.b(c).d`: a part of a chain cannot be put in brackets. */
function isInsideChain(node: ts.Node): boolean {
  const inChain = (some: ts.Node) => (some.flags & ts.NodeFlags.OptionalChain) !== 0;
  return inChain(node) && inChain(node.parent);
}

function acceptsFewer(
  node: ts.CallExpression | ts.NewExpression,
  count: number,
  checker: ts.TypeChecker,
): boolean {
  const declaration = checker.getResolvedSignature(node)?.declaration;
  if (declaration === undefined) return false;
  const parameters = declaration.parameters.filter(({ name }) => name.getText() !== "this");
  const last = parameters[Math.min(count, parameters.length) - 1];
  if (last === undefined || !ts.isParameter(last)) return false;
  const { questionToken, initializer, dotDotDotToken } = last;
  return Boolean(questionToken ?? initializer ?? dotDotDotToken);
}

function canSwap(a: ts.Expression, b: ts.Expression, checker: ts.TypeChecker): boolean {
  const general = (node: ts.Expression) =>
    checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(node));
  const [left, right] = [general(a), general(b)];
  if ((left.flags | right.flags) & ts.TypeFlags.Any) return false;
  return checker.isTypeAssignableTo(left, right) && checker.isTypeAssignableTo(right, left);
}

/** An option that is not passed on. */
function fieldChanges(node: ts.ObjectLiteralExpression, checker: ts.TypeChecker): Change[] {
  const expected = checker.getContextualType(node);
  if (expected === undefined) return [];
  return node.properties.flatMap((property) => {
    const name = property.name?.getText();
    const symbol = name === undefined ? undefined : expected.getProperty(name);
    const isOptional = symbol !== undefined && (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    if (!isOptional || (name !== undefined && textFields.test(name))) return [];
    const rest = node.properties.filter((other) => other !== property);
    const to = `({ ${rest.map((other) => other.getText()).join(", ")} })`;
    return [{ node, to, what: `without ${shorten(property.getText())}` }];
  });
}
