/** The smallest value that at least this share of the values does not exceed; 0 when there are none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** To one decimal. */
export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
