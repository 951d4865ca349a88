import { Metadata, type MethodDefinition, type ServiceDefinition } from "@grpc/grpc-js";
import {
  type ChannelCollaborators,
  type ChannelOptions,
  createChannel,
  type EndpointStats,
  type ResilientChannel,
} from "../call/index.js";
import { type Clock, saidBy, systemClock } from "../core/index.js";
import { CallDeadlines } from "./call-deadlines.js";
import { type AnswerOf, LinkCall } from "./link-call.js";
import { localFailure } from "./local-failure.js";
import type { LinkFactory, LinkResult, UnaryLink } from "./unary-link.js";

/**
 * Calls to one server over gRPC. It goes to the channel itself: grpc-js's `Client` would cost more than the rest of the
 * call. Stubs may share `channel`; closing the link closes it.
 */
export class GrpcLink implements UnaryLink {
  readonly #deadlines = new CallDeadlines();

  constructor(
    readonly address: string,
    readonly channel: ResilientChannel,
    services: readonly ServiceDefinition[],
    private readonly clock: Clock = systemClock,
  ) {
    for (const service of services) channel.known.add(service);
  }

  call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
    done: (result: LinkResult<Response>) => void,
  ): () => void {
    try {
      return this.#start(method, method.requestSerialize(request), this.#deadlines.of(timeoutMs), done);
    } catch (error) {
      const details = `${method.path}: the request cannot be sent: ${saidBy(error)}`;
      process.nextTick(done, localFailure("invalid", details));
      return () => {};
    }
  }

  endpoint(): EndpointStats | undefined {
    return this.channel.endpoints()[0];
  }

  close(): Promise<void> {
    this.channel.destroy();
    return Promise.resolve();
  }

  #start<Response>(
    method: AnswerOf<Response>,
    message: Buffer,
    deadline: Date | number,
    done: (result: LinkResult<Response>) => void,
  ): () => void {
    if (!Buffer.isBuffer(message)) throw new TypeError("its serializer made no Buffer");
    const inner = this.channel.createCall(method.path, deadline, undefined, null, undefined);
    const call = new LinkCall(inner, method, this.clock, this.clock.now(), done);
    // In the order of grpc-js's `Client`, from which the channel tells a unary call that it does not know.
    inner.start(new Metadata(), call);
    inner.startRead();
    inner.sendMessageWithContext({}, message);
    inner.halfClose();
    return () => call.cancel();
  }
}

/**
 * Links over channels of their own, one per address, made with these options.
 * @returns a factory that throws ResilienceError `CONFIG_INVALID` for bad options; addresses are the caller's to check
 */
export function grpcLinks(
  options: ChannelOptions,
  collaborators: ChannelCollaborators = {},
): (...args: Parameters<LinkFactory>) => GrpcLink {
  return (address, services) => {
    const channel = createChannel(targetOf(address), options, collaborators);
    return new GrpcLink(address, channel, services, collaborators.clock);
  };
}

/** A socket path may hold commas, which would make two addresses of it in a list. */
function targetOf(address: string): string {
  return address.startsWith("unix:") ? address : `static:///${address}`;
}
