import type { ChannelInterface } from "@grpc/grpc-js";

/** A call of grpc-js's own, as an inner channel makes it. */
export type InnerCall = ReturnType<ChannelInterface["createCall"]>;
