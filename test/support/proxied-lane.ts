import type { Socket } from "node:net";

/** A stalled lane reads this much ahead, so that it still hears the sender hang up; then the sender's writes back up. */
const READ_AHEAD_BYTES = 64 * 1024;

/** What a lane does once exactly `bytes` have passed. */
export interface LaneLimit {
  readonly bytes: number;
  readonly action: "reset" | "stall";
}

/** What a lane asks of, and tells, its connection. */
export interface LaneHooks {
  latencyMs(): number;
  received(bytes: number): void;
  /** The limit is reached: nothing more may pass in either direction. */
  cut(): void;
  /** The last allowed byte has been handed to the kernel. */
  cutFlushed(): void;
}

type Item = Buffer | "fin";

/** One direction of a proxied connection: passes bytes on at once, late, up to a limit, or not at all. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket | null;
  readonly #hooks: LaneHooks;
  readonly #late: { readonly due: number; readonly item: Item }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #limit: LaneLimit | undefined;
  #passed = 0;
  #held: Item[] | undefined;
  #heldBytes = 0;
  #isSwallowing = false;
  #isBackedUp = false;

  constructor(from: Socket, to: Socket | null, hooks: LaneHooks, limit?: LaneLimit) {
    this.#from = from;
    this.#to = to;
    this.#hooks = hooks;
    this.#limit = limit;
    from.on("data", (chunk: Buffer) => {
      hooks.received(chunk.length);
      this.#arrive(chunk);
    });
    from.on("end", () => this.#arrive("fin"));
    to?.on("drain", () => this.#setBackedUp(false));
    if (limit?.bytes === 0) this.#reachLimit(limit, Buffer.alloc(0), Buffer.alloc(0));
  }

  get isSwallowing(): boolean {
    return this.#isSwallowing;
  }

  get isStalled(): boolean {
    return this.#held !== undefined;
  }

  /** From here on everything read is thrown away, also what was waiting to be passed on. */
  swallow(): void {
    this.#isSwallowing = true;
    this.#held = undefined;
    this.#late.length = 0;
    clearTimeout(this.#timer);
    this.#steer();
  }

  /** Lifts the limit; what a stall held back goes on, for none of it was lost. */
  release(): void {
    const held = this.#held ?? [];
    this.#limit = undefined;
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const item of held) this.#pass(item);
    this.#steer();
  }

  #arrive(item: Item): void {
    if (this.#isSwallowing) return;
    const latencyMs = this.#hooks.latencyMs();
    // Behind the items ahead of it: a latency that was just lowered must not reorder the stream.
    if (latencyMs === 0 && this.#late.length === 0) return this.#pass(item);
    this.#late.push({ due: performance.now() + latencyMs, item });
    if (this.#late.length === 1) this.#arm();
  }

  #arm(): void {
    const next = this.#late[0];
    if (next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#late.shift();
        this.#pass(next.item);
        this.#arm();
      },
      Math.max(0, next.due - performance.now()),
    );
  }

  #pass(item: Item): void {
    if (this.#held !== undefined) this.#hold(item);
    else if (item === "fin") this.#to?.end();
    else if (this.#limit === undefined || this.#passed + item.length < this.#limit.bytes) this.#write(item);
    else {
      const room = this.#limit.bytes - this.#passed;
      this.#reachLimit(this.#limit, item.subarray(0, room), item.subarray(room));
    }
  }

  #reachLimit(limit: LaneLimit, allowed: Buffer, rest: Buffer): void {
    if (limit.action === "stall") {
      if (allowed.length > 0) this.#write(allowed);
      this.#held = [];
      this.#heldBytes = 0;
      if (rest.length > 0) this.#hold(rest);
    } else {
      this.swallow();
      this.#hooks.cut();
      if (allowed.length > 0) this.#write(allowed, () => this.#hooks.cutFlushed());
      else this.#hooks.cutFlushed();
    }
  }

  #write(bytes: Buffer, flushed?: () => void): void {
    if (this.#to === null || !this.#to.writable) return flushed?.();
    this.#passed += bytes.length;
    if (!this.#to.write(bytes, flushed)) this.#setBackedUp(true);
  }

  #hold(item: Item): void {
    this.#held?.push(item);
    this.#heldBytes += item === "fin" ? 0 : item.length;
    this.#steer();
  }

  #setBackedUp(isBackedUp: boolean): void {
    this.#isBackedUp = isBackedUp;
    this.#steer();
  }

  #steer(): void {
    const isFull = this.#held !== undefined && this.#heldBytes > READ_AHEAD_BYTES;
    if (!this.#isSwallowing && (this.#isBackedUp || isFull)) this.#from.pause();
    else this.#from.resume();
  }
}
