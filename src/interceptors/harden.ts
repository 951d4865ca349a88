import type { Client } from "@grpc/grpc-js";
import {
  type ChannelCollaborators,
  type ChannelOptions,
  ChannelView,
  channelOptionsSchema,
  checkChannel,
  poolChannel,
  type ResilientChannel,
  stubChannel,
} from "../call/index.js";
import { parseOptions, problemsError, ResilienceError } from "../core/index.js";
import { poolOptionsShape } from "../pool/index.js";
import { inspectStub, type StubShape } from "./stub-shape.js";

/** Options of `harden`: those of a channel, and the target, which defaults to the stub's own. */
export interface HardenOptions extends ChannelOptions {
  /** As for `createChannel`. Needs `credentials` or `insecure: true`, because a stub does not give its own away. */
  readonly target?: string;
}

/** The stub's own type; `getChannel()` gives statistics, endpoints and events. */
export type Hardened<S extends Client> = { getChannel(): ChannelView } & S;

/**
 * Makes an existing grpc-js stub resilient: same type, same callbacks, same streams, and its own interceptors still
 * run. The stub given is left as it is.
 *
 * With `credentials` (or `insecure: true`) calls go over a pool of our own connections. Without, they go over the
 * stub's own channel: retry, deadlines, throttle, certainty and one breaker, but no pool.
 *
 * Closing the hardened stub closes its channel; without a pool that is the stub's own.
 *
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of stub, target and options
 */
export function harden<S extends Client>(
  stub: S,
  options: HardenOptions = {},
  collaborators: ChannelCollaborators = {},
): Hardened<S> {
  const { target, ...rest } = options;
  const shape = inspectStub(stub);
  const isPooled = rest.credentials !== undefined || rest.insecure !== undefined || target !== undefined;
  const problems = isShape(shape) ? [] : [...shape];
  const channel = collectProblems(problems, () =>
    isPooled
      ? overPool(target === undefined ? ownTarget(shape) : target, rest, collaborators)
      : overStub(shape, rest, collaborators),
  );
  if (!isShape(shape) || channel === null) throw problemsError("harden", problems);
  const made = channel();
  made.known.add(shape.definitions);
  return reroute(stub, shape, made, !isPooled);
}

/** Undefined for a stub that is none, whose other problems are told all the same. */
function ownTarget(shape: StubShape | readonly string[]): string | undefined {
  return isShape(shape) ? shape.channel.getTarget() : undefined;
}

type MakeChannel = () => ResilientChannel;

function overPool(
  target: unknown,
  options: ChannelOptions,
  collaborators: ChannelCollaborators,
): MakeChannel {
  const { parsed, resolved } = checkChannel("harden", target, options);
  return () => poolChannel(parsed, resolved, collaborators);
}

function overStub(
  shape: StubShape | readonly string[],
  options: ChannelOptions,
  collaborators: ChannelCollaborators,
): MakeChannel | null {
  const resolved = parseOptions(channelOptionsSchema, options, "harden");
  const useless = Object.keys(options).filter((key) => key in poolOptionsShape || key === "discovery");
  // The one limit that also works without a pool.
  const needPool = useless.filter((key) => key !== "maxSendMessageBytes" && key !== "drainMs");
  if (needPool.length > 0) {
    const problems = needPool.map(
      (key) => `${key} needs a pool; give credentials, or insecure: true for plaintext`,
    );
    throw problemsError("harden", problems);
  }
  return isShape(shape) ? () => stubChannel(shape.channel, resolved, collaborators) : null;
}

/** Runs a check whose problems are to be reported together with those found before. */
function collectProblems(problems: string[], check: () => MakeChannel | null): MakeChannel | null {
  try {
    const made = check();
    return problems.length === 0 ? made : null;
  } catch (error) {
    if (!(error instanceof ResilienceError)) throw error;
    problems.push(error.details.replace(/^harden: \d+ problems?: /, ""));
    return null;
  }
}

/** grpc-js's methods read the channel from the instance, so an heir with another channel reroutes all of them. */
function reroute<S extends Client>(
  stub: S,
  shape: StubShape,
  channel: ResilientChannel,
  closesStub: boolean,
): Hardened<S> {
  const view = new ChannelView(channel, async (options) => {
    await channel.close(options);
    if (closesStub) stub.close();
  });
  return Object.create(stub, {
    [shape.channelKey]: { value: view, enumerable: false, writable: false, configurable: false },
  }) as Hardened<S>;
}

function isShape(shape: StubShape | readonly string[]): shape is StubShape {
  return !Array.isArray(shape);
}
