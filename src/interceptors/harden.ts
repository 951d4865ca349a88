import type { Client } from "@grpc/grpc-js";
import {
  type ChannelCollaborators,
  type ChannelOptions,
  ChannelView,
  checkCredentials,
  checkOptions,
  checkTarget,
  KnownMethods,
  methodNames,
  passthroughProblems,
  poolChannel,
  type ResilientChannel,
  stubChannel,
  unknownMethods,
  warnOfIdleHedging,
} from "../call/index.js";
import { problemsError } from "../core/index.js";
import { poolOptionsShape } from "../pool/index.js";
import { inspectStub, type StubShape } from "./stub-shape.js";

/** Options of `harden`: those of a channel, and the target, which defaults to the stub's own. */
export interface HardenOptions extends ChannelOptions {
  /** As for `createChannel`. Needs `tls`, `credentials` or `insecure: true`, because a stub does not give its own away. */
  readonly target?: string | readonly string[];
}

/** Of the pool's options, those that also work over a stub's own channel. */
const WITHOUT_POOL: readonly string[] = ["maxSendMessageBytes", "drainMs"];

/** The stub's own type; `getChannel()` gives statistics, endpoints and events. */
export type Hardened<S extends Client> = { getChannel(): ChannelView } & S;

/**
 * Makes an existing grpc-js stub resilient: same type, same callbacks, same streams, and its own interceptors still
 * run. The stub given is left as it is.
 *
 * With `tls` or `credentials` (or `insecure: true`) calls go over a pool of our own connections. Without, they go over the
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
  const isObject = typeof options === "object" && options !== null;
  const { target, ...rest } = isObject ? options : {};
  const shape = inspectStub(stub);
  const checked = checkOptions(isObject ? rest : options);
  const isPooled = [rest.tls, rest.credentials, rest.insecure, target].some((given) => given !== undefined);
  const parsed = isPooled ? checkTargetOf(shape, target) : null;
  const problems = [
    ...(isShape(shape) ? [] : shape),
    ...checked.problems,
    ...(isPooled ? checkCredentials(rest, parsed?.value) : checkNoPoolOptions(rest)),
    ...(parsed?.problems ?? []),
    ...passthroughProblems(rest, parsed?.value ?? null),
    ...(isShape(shape) ? unknownMethods(methodNames(rest), KnownMethods.of(shape.definitions), true) : []),
  ];
  const { value } = checked;
  if (problems.length > 0 || value === null || !isShape(shape))
    throw problemsError("harden", [...new Set(problems)]);
  const hasTarget = parsed !== null && parsed.value !== null;
  const channel = hasTarget
    ? poolChannel(parsed.value, value, collaborators)
    : stubChannel(shape.channel, value, collaborators);
  channel.known.add(shape.definitions);
  warnOfIdleHedging(channel.known, KnownMethods.of(shape.definitions));
  return reroute(stub, shape, channel, !hasTarget);
}

/** The target given, or the stub's own; none where the stub is none, whose other problems are told all the same. */
function checkTargetOf(
  shape: StubShape | readonly string[],
  target: unknown,
): ReturnType<typeof checkTarget> | null {
  if (target !== undefined) return checkTarget(target);
  return isShape(shape) ? checkOwnTarget(shape.channel.getTarget()) : null;
}

/** A target that grpc-js does not know, such as `consul://...`, is behind a `dns:` that it has put there. */
function checkOwnTarget(target: string): ReturnType<typeof checkTarget> {
  const checked = checkTarget(target);
  const written = /^dns:([a-z][a-z0-9+.-]*:\/\/.*)$/is.exec(target)?.[1];
  if (checked.value !== null || written === undefined) return checked;
  const meant = checkTarget(written);
  if (meant.value === null) return meant;
  const { canonical } = meant.value;
  return {
    value: null,
    problems: [
      `the stub's target ${JSON.stringify(canonical)} is none that grpc-js knows; give harden the option target: ${JSON.stringify(canonical)}`,
    ],
  };
}

/** Options of the channel that would do nothing over a stub's own: refused, lest they seem to do something. */
const NEEDS_POOL: readonly string[] = ["discovery", "health", "outlierEjection"];

function checkNoPoolOptions(options: object): string[] {
  return Object.keys(options)
    .filter((key) => (key in poolOptionsShape || NEEDS_POOL.includes(key)) && !WITHOUT_POOL.includes(key))
    .map((key) => `${key} needs a pool; give tls, credentials, or insecure: true for plaintext`);
}

/** grpc-js's methods read the channel from the instance, so an heir with another channel reroutes all of them. */
function reroute<S extends Client>(
  stub: S,
  shape: StubShape,
  channel: ResilientChannel,
  closesStub: boolean,
): Hardened<S> {
  const view = new ChannelView(channel, {
    async close(options) {
      await channel.close(options);
      if (closesStub) stub.close();
    },
    destroy(error) {
      channel.destroy(error);
      if (closesStub) stub.close();
    },
  });
  return Object.create(stub, {
    [shape.channelKey]: { value: view, enumerable: false, writable: false, configurable: false },
  }) as Hardened<S>;
}

function isShape(shape: StubShape | readonly string[]): shape is StubShape {
  return !Array.isArray(shape);
}
