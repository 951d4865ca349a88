/** Problems that an event tells; a list of thousands may be wrong in each of its entries. */
const MAX_TOLD = 10;
/** Places that one problem names; who has found one finds the others. */
const MAX_PLACES = 3;

/** Everything that is wrong with an answer, for one event. */
export function problemList(problems: readonly string[]): string {
  const untold = problems.length - MAX_TOLD;
  return [...problems.slice(0, MAX_TOLD), ...(untold > 0 ? [`and ${untold} more`] : [])].join("; ");
}

/** The first places of a problem, and the number of the others. */
export function shortList(places: readonly string[]): string {
  const untold = places.length - MAX_PLACES;
  const told = places.slice(0, MAX_PLACES).join(", ");
  return untold > 0 ? `${told} and ${untold} more` : told;
}

/** Problems by their words, so that one which many entries have is told once. */
export class ProblemGroups {
  readonly #places = new Map<string, string[]>();

  add(problem: string, place: string): void {
    const places = this.#places.get(problem);
    if (places === undefined) this.#places.set(problem, [place]);
    else places.push(place);
  }

  /** @param sentence of one problem and all its places, at least one */
  told(sentence: (places: readonly string[], problem: string) => string): readonly string[] {
    return [...this.#places].map(([problem, places]) => sentence(places, problem));
  }
}
