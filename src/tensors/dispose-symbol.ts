/**
 * `Symbol.dispose` where the browser does not have it yet. It must be there before any owner is defined:
 * otherwise its method would be called "undefined".
 */
if ((Symbol as { readonly dispose?: symbol }).dispose === undefined) {
  Object.defineProperty(Symbol, "dispose", { value: Symbol("Symbol.dispose") });
}
