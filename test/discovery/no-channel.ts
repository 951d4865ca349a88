import type { ChannelFactory } from "../../src/core/index.js";

/** For resolvers that ask nobody over gRPC. */
export const noChannel: ChannelFactory = (target) => {
  throw new Error(`nothing here opens a channel to ${target}`);
};
