import type { MethodDefinition } from "@grpc/grpc-js";
import {
  type ChannelFactory,
  type Clock,
  canonicalAddress,
  type RpcChannel,
  type RpcStream,
  type RpcStreamListener,
} from "../../core/index.js";
import type { EtcdTarget } from "../target-kinds.js";
import { isTokenRefused } from "./etcd-errors.js";
import { EtcdLogin } from "./etcd-login.js";
import type { ResolvedEtcdOptions } from "./etcd-options.js";

/** May be run twice: a put of the same value under the same lease, and the end of what is over already, change nothing more. */
const IDEMPOTENT = [
  "etcdserverpb.KV/Range",
  "etcdserverpb.KV/Put",
  "etcdserverpb.KV/DeleteRange",
  "etcdserverpb.Lease/LeaseRevoke",
  "etcdserverpb.Auth/Authenticate",
];

export interface EtcdClientDeps {
  readonly clock: Clock;
  readonly openChannel: ChannelFactory;
}

/** Calls to the etcd of one target, logged in. Opens its channel at the first call. */
export class EtcdClient {
  readonly #login: EtcdLogin;
  #channel: RpcChannel | null = null;
  #isClosed = false;

  constructor(
    private readonly target: Pick<EtcdTarget, "canonical" | "servers">,
    private readonly options: ResolvedEtcdOptions,
    private readonly deps: EtcdClientDeps,
  ) {
    this.#login = new EtcdLogin(options);
  }

  /**
   * One call; where etcd refuses a token that it has given before, one more with a new one.
   * @param untilMs the monotonic instant by which all of it is over
   */
  async call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    untilMs: number,
  ): Promise<Response> {
    const isTokenNew = !this.#login.hasToken;
    try {
      return await this.#once(method, request, untilMs);
    } catch (error) {
      if (!this.#login.isUsed || !isTokenRefused(error)) throw error;
      this.#login.forget();
      if (isTokenNew) throw error;
      return this.#once(method, request, untilMs);
    }
  }

  /** A stream, once the client is logged in. A token that etcd refuses later is not seen here: see `forgetToken`. */
  async stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    listener: RpcStreamListener<Response>,
    untilMs: number,
  ): Promise<RpcStream<Request>> {
    const metadata = await this.#metadata(untilMs);
    return this.#opened().stream(method, listener, { metadata });
  }

  /**
   * One message on a stream of its own, and the one that answers it.
   * @throws Error when the stream ends without, or the time is over
   */
  async exchange<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    untilMs: number,
  ): Promise<Response> {
    const metadata = await this.#metadata(untilMs);
    const channel = this.#opened();
    return new Promise((resolve, reject) => {
      const listener = {
        onMessage: (message: Response) => {
          end();
          resolve(message);
        },
        onEnd: (error: Error | null) => {
          timer.cancel();
          if (error !== null && isTokenRefused(error)) this.forgetToken();
          reject(error ?? new Error(`${method.path} ended without an answer`));
        },
      };
      const leftMs = this.#leftMs(untilMs);
      const timer = this.deps.clock.setTimer(() => {
        end();
        this.reconnect();
        reject(new Error(`${method.path} gave no answer within ${Math.round(leftMs)} ms`));
      }, leftMs);
      const stream = channel.stream(method, listener, { metadata });
      const end = (): void => {
        timer.cancel();
        stream.cancel();
      };
      stream.send(request);
    });
  }

  /** The next call logs in anew. */
  forgetToken(): void {
    this.#login.forget();
  }

  /**
   * The next call makes connections of its own: these are silent, and a connection whose peer is gone without a word would
   * be taken again. What is under way ends.
   */
  reconnect(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  close(): void {
    this.#isClosed = true;
    this.reconnect();
  }

  async #once<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    untilMs: number,
  ): Promise<Response> {
    const metadata = await this.#metadata(untilMs);
    return this.#opened().unary(method, request, { metadata, timeoutMs: this.#leftMs(untilMs) });
  }

  /** `hasleader` makes a member that is cut off from the others refuse, where it would hang or fall silent. */
  async #metadata(untilMs: number): Promise<Record<string, string>> {
    const token = await this.#login.token(this.#opened(), this.#leftMs(untilMs));
    return { hasleader: "true", ...(token !== null && { token }) };
  }

  #leftMs(untilMs: number): number {
    return Math.max(1, untilMs - this.deps.clock.now());
  }

  /** @throws Error after `close()`, or when the channel's own options are refused */
  #opened(): RpcChannel {
    if (this.#isClosed) throw new Error(`the client of ${this.target.canonical} is closed`);
    this.#channel ??= this.deps.openChannel(
      `static:///${this.target.servers.map(canonicalAddress).join(",")}`,
      {
        tls: this.options.tls,
        idempotent: IDEMPOTENT,
      },
    );
    return this.#channel;
  }
}
