type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when both types are the same, not merely assignable. */
export function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ["the types differ"]): void {}

/** A use for values that a type test has no other use for. */
export function use(..._values: readonly unknown[]): void {}

/** The proof that `same` can fail. */
export function sameCanFail(): void {
  // @ts-expect-error: the types differ
  same<string, string | undefined>();
}
