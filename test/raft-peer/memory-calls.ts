import type { MethodDefinition } from "@grpc/grpc-js";
import { CommandRequest, type CommandResponse, KVServiceService, Op } from "../../src/gen/kvraftpb/kvraft.js";
import type { KvCommand, KvHandler, KvReply } from "../../src/raft-peer/kv-messages.js";
import { MemoryNetwork } from "../../src/raft-peer/memory-network.js";
import type { MemoryNetworkOptions } from "../../src/raft-peer/memory-network-options.js";
import type { LinkResult, UnaryLink } from "../../src/raft-peer/unary-link.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";

export const COMMAND: MethodDefinition<CommandRequest, CommandResponse> = KVServiceService.command;
export const OK: KvReply = { err: "OK", value: "" };

/** A network on a clock that stands still, and what it traced. */
export function memoryStage(options: MemoryNetworkOptions = {}, seed = 1) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const network = new MemoryNetwork({
    ...options,
    clock,
    random: new SeededRandom(seed),
    trace: (line) => void lines.push(line),
  });
  return { clock, network, lines };
}

/** A key-value node that answers OK, or as told, and counts what it ran. */
export class CountingNode implements KvHandler {
  readonly keys: string[] = [];

  constructor(private readonly answer: (command: KvCommand) => KvReply | Promise<KvReply> = () => OK) {}

  command(command: KvCommand): KvReply | Promise<KvReply> {
    this.keys.push(command.key);
    return this.answer(command);
  }

  status(): never {
    throw new Error("not asked here");
  }
}

export interface Sent {
  /** Every time that the caller was called back: one, once the call has ended. */
  readonly heard: LinkResult<CommandResponse>[];
  cancel(): void;
}

/** One command over the link; fails the test when its end is told within the call. */
export function send(
  link: UnaryLink,
  {
    key = "k",
    timeoutMs = 100,
    method = COMMAND,
  }: { key?: string; timeoutMs?: number; method?: typeof COMMAND } = {},
): Sent {
  const heard: LinkResult<CommandResponse>[] = [];
  const request = CommandRequest.create({ key, value: "v", op: Op.PUT, clientId: 1n, commandId: 1n });
  const cancel = link.call(method, request, timeoutMs, (result) => void heard.push(result));
  if (heard.length > 0) throw new Error("the end was told before call() returned");
  return { heard, cancel };
}

/** Makes many calls, a few at a time so that the clock has few timers to look through. */
export async function sendMany(
  link: UnaryLink,
  clock: ManualClock,
  { calls, timeoutMs, batch = 50 }: { calls: number; timeoutMs: number; batch?: number },
): Promise<LinkResult<CommandResponse>[]> {
  const sent: Sent[] = [];
  while (sent.length < calls) {
    for (let n = 0; n < batch; n++) sent.push(send(link, { key: `${clock.now()}`, timeoutMs }));
    await clock.advance(timeoutMs);
  }
  await settle();
  return sent.flatMap(({ heard }) => heard);
}
