import * as grpc from "@grpc/grpc-js";
import {
  type Answer,
  type Ask,
  ContractService,
  type ContractServer as Handlers,
} from "../../fixtures/stubs/generated/ts-proto/contract.js";

/** A real server that answers UNAUTHENTICATED unless a call has the token of the day. */
export class TokenServer {
  token = "good";
  /** What the handlers were shown, in order of arrival. */
  readonly seen: string[] = [];
  readonly #server = new grpc.Server();
  #port = 0;

  static async start(): Promise<TokenServer> {
    const tokens = new TokenServer();
    tokens.#server.addService(ContractService, tokens.#handlers());
    tokens.#port = await new Promise<number>((resolve, reject) => {
      tokens.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    return tokens;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
  }

  #handlers(): Handlers {
    const one: grpc.handleUnaryCall<Ask, Answer> = (call, callback) => {
      if (this.#admits(call.metadata)) callback(null, { text: call.request.text, count: 1 });
      else callback(REFUSED);
    };
    return {
      unary: one,
      read: one,
      serverStream: (call) => {
        if (!this.#admits(call.metadata)) return void call.emit("error", REFUSED);
        call.write({ text: call.request.text, count: 1 });
        call.end();
      },
      clientStream: (call, callback) => {
        if (!this.#admits(call.metadata)) return callback(REFUSED);
        let count = 0;
        call.on("data", () => count++);
        call.on("end", () => callback(null, { text: "", count }));
      },
      bidi: (call) => {
        if (!this.#admits(call.metadata)) return void call.emit("error", REFUSED);
        call.on("data", ({ text }: Ask) => call.write({ text, count: 1 }));
        call.on("end", () => call.end());
      },
    };
  }

  #admits(metadata: grpc.Metadata): boolean {
    const shown = String(metadata.get("authorization")[0]);
    this.seen.push(shown);
    return shown === `Bearer ${this.token}`;
  }
}

const REFUSED = { code: grpc.status.UNAUTHENTICATED, details: "token expired" };
