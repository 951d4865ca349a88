/** What ts-proto makes of a message, as far as these tests use it. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** One line of a `*.txt` in test/fixtures/wire, and what it is to mean. */
export interface Expected {
  /** `package.Message`. */
  readonly message: string;
  readonly title: string;
  readonly type: Codec<unknown>;
  readonly value: unknown;
}

/** The numbers that stand for `<N>` in the text of a vector: 2^63-1, -2^63, -1, and the largest client id. */
const NUMBERS = [2n ** 63n - 1n, -(2n ** 63n), -1n, 2n ** 62n - 1n];

/** The values of one message by the title of their vector. */
export function expected<T>(message: string, type: Codec<T>, values: Record<string, T>): Expected[] {
  return Object.entries(values).map(([title, value]) => ({
    message,
    title,
    type: type as Codec<unknown>,
    value,
  }));
}

/** The four vectors that have the same number in every int64 field. */
export function everyNumber<T>(make: (number: bigint) => T): Record<string, T> {
  return Object.fromEntries(NUMBERS.map((number) => [`every number ${number}`, make(number)]));
}
