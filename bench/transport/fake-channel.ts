import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import { FakeCall } from "./fake-call.js";

type ChannelzRef = ReturnType<ChannelInterface["getChannelzRef"]>;

/** A channel without sockets: connects when asked, and its calls answer at once. */
export class FakeChannel implements ChannelInterface {
  #state = connectivityState.IDLE;
  #watchers: { readonly seen: connectivityState; readonly callback: (error?: Error) => void }[] = [];

  constructor(private readonly target: string) {}

  createCall(): FakeCall {
    return new FakeCall(this.target);
  }

  getTarget(): string {
    return this.target;
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    if (tryToConnect && this.#state === connectivityState.IDLE) {
      this.#enter(connectivityState.CONNECTING);
      setImmediate(() => this.#enter(connectivityState.READY));
    }
    return this.#state;
  }

  watchConnectivityState(
    currentState: connectivityState,
    _deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    if (currentState !== this.#state) process.nextTick(callback);
    else this.#watchers.push({ seen: currentState, callback });
  }

  getChannelzRef(): ChannelzRef {
    return { kind: "channel" as ChannelzRef["kind"], id: 0, name: this.target };
  }

  close(): void {
    this.#enter(connectivityState.SHUTDOWN);
  }

  #enter(state: connectivityState): void {
    if (this.#state === connectivityState.SHUTDOWN) return;
    this.#state = state;
    const due = this.#watchers.filter(({ seen }) => seen !== state);
    this.#watchers = this.#watchers.filter(({ seen }) => seen === state);
    for (const { callback } of due) process.nextTick(callback);
  }
}
