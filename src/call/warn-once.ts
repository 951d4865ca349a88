const warned = new Set<string>();

/** Warns once per process and code, on Node's own warning channel; silence it with `--disable-warning=<code>`. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, { type: "HoldfastWarning", code });
}
