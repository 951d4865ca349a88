import { bare } from "./bare.js";
import { cockatiel } from "./cockatiel.js";
import { connectNode } from "./connect-node.js";
import { grpcJsRetry } from "./grpc-js-retry.js";
import { holdfast, holdfastEvents } from "./holdfast.js";
import { niceGrpc } from "./nice-grpc.js";
import { nodeHttp2 } from "./node-http2.js";
import { opossum } from "./opossum.js";
import { holdfastPromises } from "./promises.js";
import type { Stack } from "./stack.js";

export {
  type Call,
  type CallKind,
  type Client,
  type FakePlace,
  type Place,
  type SocketPlace,
  STREAM_KINDS,
  type Stack,
  type StreamKind,
} from "./stack.js";

/** All stacks, in the order of the tables. The first is the one that ratios refer to. */
export const STACKS: readonly Stack[] = [
  bare,
  holdfast,
  holdfastEvents,
  holdfastPromises,
  grpcJsRetry,
  niceGrpc,
  cockatiel,
  opossum,
  connectNode,
  nodeHttp2,
];
