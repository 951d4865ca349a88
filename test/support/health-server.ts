import * as grpc from "@grpc/grpc-js";
import {
  type HealthServer as Handlers,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../src/gen/grpc/health/v1/health.js";
import { turns } from "./event-loop.js";
import { retryWhileInUse } from "./reopenable-port.js";
import { Tally } from "./tally.js";

type WatchCall = Parameters<Handlers["watch"]>[0];
type CheckCall = Parameters<Handlers["check"]>[0];

/** What a method does: answers, never answers, or is not there. */
export type HealthBehaviour = "serve" | "hang" | "unimplemented";

export interface HealthServerOptions {
  /** Further services on the same port. */
  readonly addServices?: (server: grpc.Server) => void;
  readonly credentials?: grpc.ServerCredentials;
}

/** A real grpc-js server with `grpc.health.v1`, steered by the test, that counts what it is asked. */
export class HealthServer {
  watchBehaviour: HealthBehaviour = "serve";
  checkBehaviour: HealthBehaviour = "serve";
  /** Metadata of the Watches and Checks, in order. */
  readonly metadata: grpc.Metadata[] = [];
  /** What the client's timeout makes of the deadline; `Infinity` without one. */
  readonly deadlines: grpc.Deadline[] = [];
  /** Streams open now. */
  readonly open = new Set<WatchCall>();
  readonly #watches = new Tally("Watches");
  readonly #checks = new Tally("Checks");
  readonly #gone = new Tally("ends of Watches");
  readonly #statuses = new Map<string, Serving>();
  #server: grpc.Server | null = null;
  #port = 0;

  private constructor(private readonly options: HealthServerOptions) {}

  static async start(options: HealthServerOptions = {}): Promise<HealthServer> {
    const server = new HealthServer(options);
    await server.restart();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Watches ever begun. */
  get watches(): number {
    return this.#watches.count;
  }

  get checks(): number {
    return this.#checks.count;
  }

  /** Resolves once so many Watches were begun, over all restarts. */
  watched(count = 1): Promise<void> {
    return this.#watches.reached(count);
  }

  checked(count = 1): Promise<void> {
    return this.#checks.reached(count);
  }

  /** Resolves once so many Watches were cancelled by the client. */
  unwatched(count = 1): Promise<void> {
    return this.#gone.reached(count);
  }

  /** Sets the status of a service, "" for the whole server, and tells those who watch it. */
  set(service: string, status: Serving | number): void {
    this.#statuses.set(service, status);
    for (const call of this.open) if (call.request.service === service) call.write({ status });
  }

  /** Ends every Watch with this status. */
  endWatches(code: grpc.status, details = "ended by the test"): void {
    for (const call of [...this.open]) {
      this.open.delete(call);
      if (code === grpc.status.OK) call.end();
      else call.emit("error", { code, details });
    }
  }

  /** Connections close, and connects are refused; statuses and behaviours stay. */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = null;
    this.open.clear();
    await turns(5);
  }

  /** Stops if it runs, and listens on the same port again. */
  async restart(): Promise<void> {
    await this.stop();
    const server = new grpc.Server();
    server.addService(HealthService, this.#handlers());
    this.options.addServices?.(server);
    const credentials = this.options.credentials ?? grpc.ServerCredentials.createInsecure();
    this.#port = await retryWhileInUse(() => bind(server, this.address, credentials));
    this.#server = server;
  }

  /** `stop()`, and waits that can no longer come true end with an error. */
  async close(): Promise<void> {
    await this.stop();
    for (const tally of [this.#watches, this.#checks, this.#gone]) tally.close();
  }

  #handlers(): grpc.UntypedServiceImplementation {
    return {
      check: (call: CheckCall, callback: grpc.sendUnaryData<{ status: Serving }>) => {
        this.#note(call, this.#checks);
        const { service } = call.request;
        if (this.checkBehaviour === "hang") return;
        if (this.checkBehaviour === "unimplemented") return callback({ code: grpc.status.UNIMPLEMENTED });
        const status = this.#statusOf(service);
        if (status === undefined) callback({ code: grpc.status.NOT_FOUND, details: "unknown service" });
        else callback(null, { status });
      },
      watch: (call: WatchCall) => {
        this.open.add(call);
        call.on("cancelled", () => {
          if (this.open.delete(call)) this.#gone.add();
        });
        // The failure shows in the status; without a listener it would end the test process.
        call.on("error", () => {});
        if (this.watchBehaviour === "unimplemented") {
          this.open.delete(call);
          call.emit("error", { code: grpc.status.UNIMPLEMENTED, details: "no Watch here" });
        } else if (this.watchBehaviour === "serve") {
          call.write({ status: this.#statusOf(call.request.service) ?? Serving.SERVICE_UNKNOWN });
        }
        this.#note(call, this.#watches);
      },
    };
  }

  /** The server as a whole serves unless told otherwise. */
  #statusOf(service: string): Serving | undefined {
    return this.#statuses.get(service) ?? (service === "" ? Serving.SERVING : undefined);
  }

  #note(call: WatchCall | CheckCall, tally: Tally): void {
    this.metadata.push(call.metadata);
    this.deadlines.push(call.getDeadline());
    tally.add();
  }
}

function bind(server: grpc.Server, address: string, credentials: grpc.ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}
