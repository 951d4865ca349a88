/** Where each token starts, and the stretches of text that are none. */
export interface TokenReading {
  readonly positions: ReadonlyMap<string, readonly number[]>;
  readonly foreign: readonly string[];
}

/** Reads a text as a sequence of tokens, none of which begins another, so there is only one way to read it. */
export function readTokens(text: string, tokens: ReadonlySet<string>): TokenReading {
  const lengths = [...new Set([...tokens].map(({ length }) => length))];
  const positions = new Map<string, number[]>();
  const foreign: string[] = [];
  let foreignFrom = 0;
  let at = 0;
  const endForeign = () => {
    if (foreignFrom < at) foreign.push(text.slice(foreignFrom, at));
  };
  while (at < text.length) {
    const length = lengths.find((candidate) => tokens.has(text.slice(at, at + candidate)));
    if (length === undefined) {
      at += 1;
      continue;
    }
    endForeign();
    const token = text.slice(at, at + length);
    const known = positions.get(token);
    if (known === undefined) positions.set(token, [at]);
    else known.push(at);
    at += length;
    foreignFrom = at;
  }
  endForeign();
  return { positions, foreign };
}
