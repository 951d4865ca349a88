/** What a function of the user answers, now or later. */
export interface Receiver<T> {
  ready(value: T): void;
  failed(error: unknown): void;
  /** The answer comes later. */
  waiting(): void;
}

/** Asks a function that may answer at once or by a promise; an answer at once costs no turn. */
export function whenReady<T>(ask: () => T | PromiseLike<T>, receiver: Receiver<T>): void {
  let answer: T | PromiseLike<T>;
  try {
    answer = ask();
  } catch (error) {
    return receiver.failed(error);
  }
  if (!isThenable(answer)) return receiver.ready(answer);
  receiver.waiting();
  answer.then(
    (value) => receiver.ready(value),
    (error: unknown) => receiver.failed(error),
  );
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
}
