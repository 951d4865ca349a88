import { expect } from "vitest";
import type { ConnectivityWord } from "../../src/core/index.js";
import type { Connection } from "../../src/pool/connection.js";
import type { Slot } from "../../src/pool/slot.js";
import type { FakeChannel } from "../support/fake-channel.js";
import type { ManualClock } from "../support/manual-clock.js";

/** Bytes that tell the connections apart: nobody but their number can be seen of them from both sides. */
const BYTES_APART = 1_000_000;

/** How long a socket may take to close after its last call. */
const GOODBYE_MS = 1_000;

/** Doubts about a connection, as far as a test can know of them from outside. */
interface Doubt {
  /** After a pause: no call may go there. */
  readonly isUnverified: boolean;
  readonly endsAt: number;
  readonly bytesAtStart: number;
}

/** What is true of every connection of a pool, written down by whoever makes it happen. */
export class PoolTruth {
  readonly channels: FakeChannel[] = [];
  readonly leaving = new Set<FakeChannel>();
  /** Calls that run, by connection. */
  readonly running = new Map<Slot, number>();
  readonly #unsure = new Set<FakeChannel>();
  readonly #conclusions: (() => void)[] = [];
  readonly #answered = new Set<FakeChannel>();
  readonly #doubts = new Map<FakeChannel, Doubt>();
  /** When a connection was first seen out of its pool. */
  readonly #leftAt = new Map<FakeChannel, number>();

  constructor(
    private readonly clock: ManualClock,
    private readonly checkTimeoutMs: number,
    private readonly drainMs: number,
  ) {}

  add(channel: FakeChannel): void {
    this.channels.push(channel);
    channel.socket.bytesRead = this.channels.length * BYTES_APART;
  }

  channelOf(slot: Slot): FakeChannel {
    const channel = this.channels[Math.floor(slot.bytesRead / BYTES_APART) - 1];
    if (channel === undefined) throw new Error(`${slot.address} is a connection that nobody made`);
    return channel;
  }

  callsOn(slot: Slot): number {
    return this.running.get(slot) ?? 0;
  }

  count(slot: Slot, change: 1 | -1): void {
    this.running.set(slot, this.callsOn(slot) + change);
  }

  /** Everything that could be asked of a connection that calls go to. */
  isSound(connection: Slot): boolean {
    const channel = this.channelOf(connection);
    return this.isWhole(channel) && !this.#doubts.has(channel) && !this.#unsure.has(channel);
  }

  isWhole(channel: FakeChannel): boolean {
    return channel.isReady && !channel.isClosed && !channel.socket.destroyed && !this.leaving.has(channel);
  }

  /** Under way: neither READY nor over. */
  isDial(channel: FakeChannel): boolean {
    const isOver = channel.isReady || channel.isClosed || channel.socket.destroyed;
    return !isOver && !this.leaving.has(channel);
  }

  // Doubts

  doubt(connections: readonly Connection[], isUnverified: boolean): void {
    for (const connection of connections) {
      const channel = this.channelOf(connection);
      const known = this.#doubts.get(channel);
      if (known !== undefined) {
        if (isUnverified) this.#doubts.set(channel, { ...known, isUnverified });
        continue;
      }
      const endsAt = this.clock.now() + this.checkTimeoutMs;
      this.#doubts.set(channel, { isUnverified, endsAt, bytesAtStart: connection.bytesRead });
    }
  }

  /**
   * A call ran out of time on this connection, and nothing was heard since it began. The pool looks once more before it
   * draws its conclusion: until then nothing is sure.
   */
  noteSilence(slot: Slot, membersNow: () => readonly Connection[]): void {
    const [bytes, members] = [slot.bytesRead, membersNow()];
    for (const member of members) this.#unsure.add(this.channelOf(member));
    this.#conclusions.push(() => {
      const later = membersNow();
      const isSilent = slot.bytesRead === bytes && !slot.isLost;
      if (isSilent && later.some((member) => member === slot)) this.doubt(later, false);
    });
  }

  /** A server answers a Check, which is on its way. */
  answer(channel: FakeChannel): void {
    channel.hear();
    this.#answered.add(channel);
  }

  /** What was on its way has arrived. */
  arrive(): void {
    for (const channel of this.#answered) this.#doubts.delete(channel);
    this.#answered.clear();
    this.#unsure.clear();
    for (const conclude of this.#conclusions.splice(0)) conclude();
  }

  /** Time has passed: silence is over for those that said anything before they were to be judged. */
  judge(before: number): void {
    for (const [channel, { endsAt, bytesAtStart }] of this.#doubts) {
      const isDue = endsAt > before && endsAt <= this.clock.now();
      if (isDue && channel.socket.bytesRead !== bytesAtStart) this.#doubts.delete(channel);
    }
  }

  /** Nothing was heard of it since its life came into question. Null where nothing speaks against it, or not for sure. */
  doubtOf(connection: Slot): Doubt | null {
    const channel = this.channelOf(connection);
    const doubt = this.#doubts.get(channel);
    return doubt === undefined || doubt.bytesAtStart !== channel.socket.bytesRead ? null : doubt;
  }

  // What must hold for the connections of one endpoint

  /** R79. */
  stateOf(address: string, members: readonly Connection[], isWaiting: boolean): ConnectivityWord {
    if (members.length > 0) return "READY";
    if (this.dialsOf(address).length > 0) return "CONNECTING";
    return isWaiting ? "TRANSIENT_FAILURE" : "IDLE";
  }

  dialsOf(address: string): FakeChannel[] {
    return this.channels.filter((channel) => channel.endpoint.address === address && this.isDial(channel));
  }

  /** Every socket is that of a dial, of a member, or of a connection that calls still run on, for so long. */
  checkSockets(members: ReadonlySet<FakeChannel>): void {
    const running = new Map([...this.running].map(([slot, calls]) => [this.channelOf(slot), calls]));
    for (const channel of this.channels) {
      if (channel.socket.destroyed || members.has(channel) || this.isDial(channel)) continue;
      const leftAt = this.#leftAt.get(channel) ?? this.clock.now();
      this.#leftAt.set(channel, leftAt);
      const calls = running.get(channel) ?? 0;
      // One without calls is given a moment for its goodbye, which a Check of ours may delay.
      const limitMs = calls > 0 ? this.drainMs : GOODBYE_MS;
      const ms = this.clock.now() - leftAt;
      if (calls === 0) expect(channel.isClosed, `${channel.peer} is open, and nobody needs it`).toBe(true);
      if (calls > 0 || channel.inFlight > 0)
        expect(ms, `${channel.peer} goes on`).toBeLessThanOrEqual(limitMs);
    }
  }
}
