const warned = new Set<string>();

/** Subjects may come without end, as targets do. */
const MAX_WARNED = 1_000;

/**
 * Warns once per process and code, on Node's own warning channel; silence it with `--disable-warning=<code>`.
 *
 * @param subject warns once for each of these
 */
export function warnOnce(code: string, message: string, subject?: string): void {
  const key = subject === undefined ? code : `${code} ${subject}`;
  if (warned.has(key) || (subject !== undefined && warned.size >= MAX_WARNED)) return;
  warned.add(key);
  process.emitWarning(message, { type: "HoldfastWarning", code });
}
