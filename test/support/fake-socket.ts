import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** What the pool sees of a socket, without one: it reads bytes when the test says so, and closes as Node's do. */
export class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  closed = false;
  isRef = true;

  ref(): this {
    this.isRef = true;
    return this;
  }

  unref(): this {
    this.isRef = false;
    return this;
  }

  /** As in Node: gone at once, announced in the next tick. */
  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    process.nextTick(() => {
      if (error !== undefined) this.emit("error", error);
      this.closed = true;
      this.emit("close");
    });
    return this;
  }

  /** The type that grpc-js and the pool expect. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }
}
