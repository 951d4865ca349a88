/** Colours for a terminal, or none. */
export interface Paint {
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  dim(text: string): string;
}

export function paintWith(hasColours: boolean): Paint {
  const colour = (code: number) => (text: string) =>
    hasColours && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { green: colour(32), yellow: colour(33), red: colour(31), dim: colour(2) };
}

/** On a terminal, unless its user asked for none (no-color.org). */
export function wantsColours(out: { readonly isTTY?: boolean }): boolean {
  return out.isTTY === true && !process.env["NO_COLOR"];
}
