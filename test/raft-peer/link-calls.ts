import type { ServiceDefinition } from "@grpc/grpc-js";
import type { ChannelOptions } from "../../src/call/index.js";
import { type GrpcLink, grpcLinks } from "../../src/raft-peer/grpc-link.js";
import type { LinkResult } from "../../src/raft-peer/unary-link.js";
import { counterService } from "../support/counting-server.js";
import { EventLog } from "../support/event-log.js";
import { turns } from "../support/event-loop.js";
import type { Stage } from "../support/stage.js";

export const { Unary } = counterService;
export const services = [counterService as unknown as ServiceDefinition];

export interface Asking {
  readonly timeoutMs?: number;
  readonly request?: Buffer;
  readonly method?: typeof Unary;
}

/** A link in plaintext, closed when the test is over. */
export function linkTo(stage: Stage, address: string, options: ChannelOptions = {}): GrpcLink {
  return stage.use(grpcLinks({ insecure: true, ...options })(address, services) as GrpcLink);
}

/** The same, connected. */
export async function readyLink(stage: Stage, address: string, options?: ChannelOptions): Promise<GrpcLink> {
  const link = linkTo(stage, address, options);
  const events = new EventLog(link.channel);
  link.channel.getConnectivityState(true);
  await events.ready(address);
  return link;
}

/** One call; fails the test when its end is told within the call itself, or twice. */
export function ask(
  link: GrpcLink,
  { timeoutMs = 5_000, request = Buffer.from("x"), method = Unary }: Asking = {},
) {
  let isReturned = false;
  let times = 0;
  let cancel!: () => void;
  const result = new Promise<LinkResult<Buffer>>((resolve, reject) => {
    cancel = link.call(method, request, timeoutMs, (ended) => {
      times++;
      if (isReturned) resolve(ended);
      else reject(new Error("the end was told before call() returned"));
    });
    isReturned = true;
  }).then(async (ended) => {
    await turns(3);
    if (times !== 1) throw new Error(`the end was told ${times} times`);
    return ended;
  });
  return { result, cancel };
}
