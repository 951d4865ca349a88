/** Seconds, with the nine decimals that gRPC allows. */
export function durationText(ms: number): string {
  const wholeMs = Math.floor(ms);
  const ns = BigInt(wholeMs) * 1_000_000n + BigInt(Math.round((ms - wholeMs) * 1e6));
  const digits = String(ns).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}s`;
}
