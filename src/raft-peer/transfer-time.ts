/** What bytes take at a rate, in whole ms: a small message has no more time than the limit says. */
export function transferMs(bytes: number, bytesPerSecond: number | null): number {
  return bytesPerSecond === null ? 0 : Math.floor((bytes / bytesPerSecond) * 1_000);
}
