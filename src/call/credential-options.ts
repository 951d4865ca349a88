import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { z } from "zod";

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
