import { bare } from "./bare.js";
import { holdfast, holdfastEvents } from "./holdfast.js";
import type { Stack } from "./stack.js";

export type { Client, FakePlace, Place, SocketPlace, Stack, UnaryCall } from "./stack.js";

/** All stacks, in the order of the tables. The first is the one that ratios refer to. */
export const STACKS: readonly Stack[] = [bare, holdfast, holdfastEvents];
