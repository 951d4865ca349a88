/** A title that names rules. */
export interface RuleTitle {
  readonly path: string;
  readonly title: string;
  readonly rules: readonly number[];
  readonly isSuite: boolean;
  /** Tests it holds for. */
  readonly tests: number;
}

/** What is said of a rule beside its tests. */
export interface RuleNote {
  readonly says: string;
  /** Where we differ, or go further. */
  readonly note?: string;
  /** Why there is no test. */
  readonly reason?: string;
}

export interface ConformanceNotes {
  readonly sections: readonly {
    readonly title: string;
    readonly rules: Readonly<Record<string, string | RuleNote>>;
  }[];
  readonly elsewhere: {
    readonly title: string;
    readonly says: string;
    readonly from: number;
    readonly to: number;
  };
}

export function readTitles(): RuleTitle[];
export function readNotes(): ConformanceNotes;
export function readPage(): string;
export function titlesIn(path: string, text: string): RuleTitle[];
export function problemsOf(notes: ConformanceNotes, titles: readonly RuleTitle[]): string[];
export function renderPage(notes: ConformanceNotes, titles: readonly RuleTitle[]): string;
