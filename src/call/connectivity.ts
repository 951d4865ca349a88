import { connectivityState } from "@grpc/grpc-js";
import type { Clock, ConnectivityWord, Timer } from "../core/index.js";

const NUMBERS: Readonly<Record<ConnectivityWord, connectivityState>> = {
  IDLE: connectivityState.IDLE,
  CONNECTING: connectivityState.CONNECTING,
  READY: connectivityState.READY,
  TRANSIENT_FAILURE: connectivityState.TRANSIENT_FAILURE,
  SHUTDOWN: connectivityState.SHUTDOWN,
};

export function stateNumber(word: ConnectivityWord): connectivityState {
  return NUMBERS[word];
}

const WORDS = Object.keys(NUMBERS) as ConnectivityWord[];

export function stateWord(state: connectivityState): ConnectivityWord {
  return WORDS.find((word) => NUMBERS[word] === state) ?? "IDLE";
}

interface Watcher {
  readonly seen: connectivityState;
  readonly callback: (error?: Error) => void;
  timer: Timer | null;
}

/** The state of a channel and those who wait for it to change, with grpc-js's own semantics. SHUTDOWN is final. */
export class ConnectivityTracker {
  #word: ConnectivityWord = "IDLE";
  readonly #watchers = new Set<Watcher>();

  constructor(
    private readonly clock: Clock,
    private readonly onChange: (from: ConnectivityWord, to: ConnectivityWord) => void,
  ) {}

  get word(): ConnectivityWord {
    return this.#word;
  }

  set(word: ConnectivityWord): void {
    const from = this.#word;
    if (from === word || from === "SHUTDOWN") return;
    this.#word = word;
    this.onChange(from, word);
    for (const watcher of [...this.#watchers]) {
      if (watcher.seen === NUMBERS[word]) continue;
      this.#watchers.delete(watcher);
      watcher.timer?.cancel();
      watcher.callback();
    }
  }

  /** @throws Error when the channel is shut down, as grpc-js does. */
  watch(seen: connectivityState, deadline: Date | number, callback: (error?: Error) => void): void {
    if (this.#word === "SHUTDOWN") throw new Error("Channel has been shut down");
    if (seen !== NUMBERS[this.#word]) {
      process.nextTick(callback);
      return;
    }
    const watcher: Watcher = { seen, callback, timer: null };
    this.#watchers.add(watcher);
    const epochMs = Number(deadline);
    if (epochMs === Number.POSITIVE_INFINITY) return;
    const expire = (): void => {
      this.#watchers.delete(watcher);
      callback(new Error("Deadline passed without connectivity state change"));
    };
    watcher.timer = this.clock.setTimer(expire, epochMs - this.clock.epoch(), { keepAlive: true });
  }
}
