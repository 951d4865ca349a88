/** The highest term this node takes from others: from here on, numbers soon stop counting one by one. */
export const MAX_TERM = Number.MAX_SAFE_INTEGER - 2;

/** Whether a node can be in this term; 0 is the one before the first election. */
export function isTerm(term: number): boolean {
  return Number.isInteger(term) && term >= 0 && term <= MAX_TERM;
}

/**
 * The term of the next campaign.
 * @throws RangeError when there is none
 */
export function nextTerm(term: number): number {
  if (isTerm(term + 1)) return term + 1;
  throw new RangeError(
    `this node cannot stand for election after term ${term}: the highest is ${MAX_TERM}, which no cluster reaches ` +
      "by elections; some request has carried a wrong term",
  );
}
