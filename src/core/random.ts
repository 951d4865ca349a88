/** Where chance comes from. Everything that rolls dice takes one, so that tests can load them. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export const systemRandom: Random = { next: () => Math.random() };
