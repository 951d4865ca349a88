import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { z } from "zod";
import { isObject } from "../core/index.js";

/** What secures a channel; another copy's would fail on the first call. */
export const channelCredentialsSchema = z.custom<ChannelCredentials>(
  (value) => value instanceof ChannelCredentials,
  { abort: false, error: ({ input }) => whyNoCredentials(input) },
);

/** What adds metadata to every attempt of a channel. */
export const callCredentialsSchema = z.custom<CallCredentials>((value) => value instanceof CallCredentials, {
  abort: false,
  message: "must be CallCredentials of @grpc/grpc-js, or made by refreshingCredentials",
});

/** grpc-js's own name for `tls.serverName`. */
export const NAME_OVERRIDE = "grpc.ssl_target_name_override";

/** What contradicts itself in how a channel is secured; that it must be secured somehow is asked elsewhere. */
export const securedOneWay = z.superRefine<object>(
  (options, context) => {
    const { credentials, tls, insecure, channelOptions } = options as Readonly<Record<string, unknown>>;
    const problem = (key: string, message: string) =>
      context.addIssue({ code: "custom", path: [key], message });
    const [first] = Object.entries({ credentials, tls }).find(([, value]) => value !== undefined) ?? [null];
    if (first === "credentials" && tls !== undefined)
      problem("tls", "is set beside credentials; give one of them");
    if (insecure === true && first !== null) problem("insecure", `is set beside ${first}; give one of them`);
    if (insecure === false && first === null) problem("insecure", "false needs tls or credentials");
    if (has(channelOptions, NAME_OVERRIDE) && has(tls, "serverName"))
      problem("tls", `serverName is set beside channelOptions ${NAME_OVERRIDE}; give one of them`);
  },
  { when: isObject },
);

function has(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, key) !== undefined;
}

function whyNoCredentials(given: unknown): string {
  if (hasFunction(given, "createSsl"))
    return "must be ChannelCredentials; call a function of grpc-js's `credentials`: credentials.createSsl()";
  const which = hasFunction(given, "_isSecure")
    ? "the same copy of @grpc/grpc-js that Holdfast uses"
    : "@grpc/grpc-js";
  return `must be ChannelCredentials of ${which}`;
}

function hasFunction(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}
