/** A measure against its target. */
export interface Verdict {
  readonly measure: string;
  readonly value: number;
  readonly relation: "at most" | "at least" | "below";
  readonly limit: number;
  readonly isMet: boolean;
  /** What would be better still, where the target says so. */
  readonly aim?: number;
}

/** @param value that is no number misses: a measurement that gave none has shown nothing */
export function atMost(measure: string, value: number, limit: number, aim?: number): Verdict {
  const verdict = { measure, value, relation: "at most", limit, isMet: value <= limit } as const;
  return aim === undefined ? verdict : { ...verdict, aim };
}

export function atLeast(measure: string, value: number, limit: number): Verdict {
  return { measure, value, relation: "at least", limit, isMet: value >= limit };
}

export function below(measure: string, value: number, limit: number): Verdict {
  return { measure, value, relation: "below", limit, isMet: value < limit };
}

export function verdictLine({ measure, value, relation, limit, isMet, aim }: Verdict): string {
  const target = `target ${relation} ${limit}${aim === undefined ? "" : `, aim ${aim}`}`;
  return `  ${measure} ${value.toFixed(2)}, ${target}: ${isMet ? "met" : "MISSED"}`;
}
