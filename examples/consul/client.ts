import { createChannel, type ResilientChannel, stubFor } from "holdfast";
import { GreeterClient } from "./greeter-stub.js";

export interface Follower {
  readonly greeter: GreeterClient;
  readonly channel: ResilientChannel;
}

/** A client that follows the service wherever Consul says that it is. This is all that a user writes. */
export function followGreeter(consul: string): Follower {
  const channel = createChannel(`consul://${consul}/greeter?passing=false`, {
    insecure: true,
    loadBalancing: "weighted_round_robin",
    methods: { "greeter.Greeter/Hello": { idempotent: true } },
  });
  return { greeter: stubFor(GreeterClient, channel), channel };
}
