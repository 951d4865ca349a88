import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const SOCKET_CHANNEL = "net.client.socket";

/** Every socket this process has begun to connect since this was made, whoever did; also those that never connect. */
export class ClientSockets {
  readonly all: Socket[] = [];
  readonly #onSocket = (message: unknown): void => {
    this.all.push((message as { socket: Socket }).socket);
  };

  constructor() {
    subscribe(SOCKET_CHANNEL, this.#onSocket);
  }

  /** Those not destroyed. */
  get open(): Socket[] {
    return this.all.filter((socket) => !socket.destroyed);
  }

  /** Ends what is left. */
  close(): void {
    unsubscribe(SOCKET_CHANNEL, this.#onSocket);
    for (const socket of this.open) socket.destroy();
  }
}
