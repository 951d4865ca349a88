import { type ChannelInterface, Client } from "@grpc/grpc-js";
import { ChannelView, ResilientChannel } from "../call/index.js";

/** What `harden` needs to know of a stub. */
export interface StubShape {
  readonly channel: ChannelInterface;
  /** The symbol under which grpc-js's `Client` keeps its channel. */
  readonly channelKey: symbol;
  /** The service definition, where the stub's class carries it. */
  readonly definitions: unknown;
}

/** Looks at a stub without touching it. @returns its shape, or every reason why it cannot be hardened. */
export function inspectStub(stub: unknown): StubShape | readonly string[] {
  if (!isGrpcClient(stub)) {
    return [`the stub is ${describe(stub)}; allowed: an instance of a @grpc/grpc-js client`];
  }
  const channel = stub.getChannel();
  if (channel instanceof ChannelView || channel instanceof ResilientChannel) {
    return ["the stub is hardened already; a second retry layer would multiply its attempts"];
  }
  const channelKey = Object.getOwnPropertySymbols(stub).find((key) => Reflect.get(stub, key) === channel);
  const problems: string[] = [];
  if (channelKey === undefined) {
    problems.push(
      "the stub keeps its channel where it cannot be replaced; build it with stubFor(Class, channel)",
    );
  }
  const bound = boundMethods(stub);
  if (bound.length > 0) {
    const names = bound.slice(0, 5).join(", ");
    problems.push(
      `the methods ${names} are fields bound to this very stub, so they cannot be rerouted; build it with stubFor(Class, channel)`,
    );
  }
  if (channelKey === undefined || problems.length > 0) return problems;
  return { channel, channelKey, definitions: Reflect.get(stub.constructor, "service") };
}

/** Not `instanceof`: the stub may come from another copy of grpc-js, and then still works over our channel. */
function isGrpcClient(stub: unknown): stub is Client {
  if (stub instanceof Client) return true;
  if (typeof stub !== "object" || stub === null) return false;
  return ["getChannel", "makeUnaryRequest", "makeBidiStreamRequest", "close"].every(
    (method) => typeof Reflect.get(stub, method) === "function",
  );
}

/** Arrow functions kept as fields close over the instance they were made for. */
function boundMethods(stub: Client): string[] {
  return Object.keys(stub).filter((key) => typeof Reflect.get(stub, key) === "function");
}

/** A value that is no stub, for a sentence. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (typeof value !== "object") return `a ${typeof value}`;
  return `an object of class ${value.constructor?.name ?? "(none)"}`;
}
