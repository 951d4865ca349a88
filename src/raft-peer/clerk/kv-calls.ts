import { status as Status } from "@grpc/grpc-js";
import { KVServiceService } from "../../gen/kvraftpb/kvraft.js";
import { kvCommandToWire, nodeStatusFromWire } from "../kv-convert.js";
import type { KvCommand, KvReply } from "../kv-messages.js";
import type { LinkResult, UnaryLink } from "../unary-link.js";
import type { StatusAnswer } from "./status-round.js";

/** Services that a Clerk calls on its servers. */
export const CLERK_SERVICES = [KVServiceService] as const;

/** @returns cancels the call */
export function sendCommand(
  link: UnaryLink,
  command: KvCommand,
  timeoutMs: number,
  done: (result: LinkResult<KvReply>) => void,
): () => void {
  return link.call(KVServiceService.command, kvCommandToWire(command), timeoutMs, done);
}

/** Asks a server for its own view. */
export function askStatus(link: UnaryLink, timeoutMs: number, done: (answer: StatusAnswer) => void): void {
  link.call(KVServiceService.getStatus, {}, timeoutMs, (result) => {
    if (!result.ok) return done(result);
    const { response, ms } = result;
    let answer: StatusAnswer;
    try {
      answer = { ok: true, status: nodeStatusFromWire(response) };
    } catch (error) {
      const details = `the status cannot be read: ${(error as Error).message}`;
      const facts = { code: Status.INTERNAL, reason: "REMOTE", processed: "yes", details, ms } as const;
      answer = { ok: false, kind: "malformed", attempts: [], ...facts };
    }
    done(answer);
  });
}
