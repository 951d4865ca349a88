import { type ChannelCredentials, type Client, type ClientOptions, credentials } from "@grpc/grpc-js";
import {
  ChannelView,
  KnownMethods,
  ResilientChannel,
  unknownMethods,
  warnOfIdleHedging,
} from "../call/index.js";
import { problemsError, suggest } from "../core/index.js";
import type { Hardened } from "./harden.js";
import { describe } from "./stub-shape.js";

/** What a stub on a channel of ours still decides by itself; options of a channel belong to `createChannel`. */
const STUB_OPTIONS: readonly string[] = [
  "interceptors",
  "interceptor_providers",
  "callInvocationTransformer",
];

/** Any generated or hand-written grpc-js client class. */
export type StubClass<S extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: ClientOptions,
) => S;

/**
 * Builds a stub on a resilient channel that several stubs may share: `stubFor(UserServiceClient, channel)`. Also the
 * way for stubs that `harden` cannot reroute. Closing the stub leaves the channel open.
 *
 * @param options of the grpc-js client, for instance its interceptors
 * @throws ResilienceError `CONFIG_INVALID` when the class or the channel is none, or the channel's `methods` name a
 *   method that the service of the class does not have
 */
export function stubFor<S extends Client>(
  stubClass: StubClass<S>,
  channel: ResilientChannel,
  options: Pick<ClientOptions, "interceptors" | "interceptor_providers" | "callInvocationTransformer"> = {},
): Hardened<S> {
  const problems: string[] = [];
  if (!isStubClass(stubClass))
    problems.push(`the class is ${describe(stubClass)}; allowed: a grpc-js client class`);
  for (const key of Object.keys(options)) {
    if (!STUB_OPTIONS.includes(key))
      problems.push(`${key} is no option of a stub${suggest(key, STUB_OPTIONS)}`);
  }
  const definitions: unknown = isStubClass(stubClass) ? Reflect.get(stubClass, "service") : null;
  const defined = KnownMethods.of(definitions);
  if (!(channel instanceof ResilientChannel)) problems.push("the channel is none made by createChannel");
  else problems.push(...unknownMethods(channel.known.configured, defined));
  if (problems.length > 0) throw problemsError("stubFor", problems);
  channel.known.add(definitions);
  warnOfIdleHedging(channel.known, defined);
  const view = new ChannelView(channel, { close: async () => {}, destroy: () => {} });
  return new stubClass(channel.getTarget(), credentials.createInsecure(), {
    ...options,
    channelOverride: view,
  }) as Hardened<S>;
}

function isStubClass(value: unknown): boolean {
  return typeof value === "function" && typeof value.prototype?.makeUnaryRequest === "function";
}
