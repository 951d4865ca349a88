/** Problems that an event tells; a list of thousands may be wrong in each of its entries. */
const MAX_TOLD = 10;

/** Everything that is wrong with an answer, for one event. */
export function problemList(problems: readonly string[]): string {
  const untold = problems.length - MAX_TOLD;
  return [...problems.slice(0, MAX_TOLD), ...(untold > 0 ? [`and ${untold} more`] : [])].join("; ");
}
