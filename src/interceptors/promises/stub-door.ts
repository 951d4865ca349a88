import type { Client } from "@grpc/grpc-js";
import { ChannelView } from "../../call/index.js";
import { type CallWay, ChannelWay, StubWay } from "./call-way.js";
import { probeKind } from "./probe-kind.js";
import { type PromiseMethod, promiseMethod } from "./promise-method.js";
import { freshSettings, plainSettings, rememberedSettings, type SettingsReader } from "./settings-reader.js";
import { channelOf, straightWay } from "./straight-way.js";
import { definitionOf, isGenerated, type MethodDefinition, type MethodKind } from "./stub-methods.js";

/** Makes the methods of one stub, and knows the ways to its channel. */
export class StubDoor {
  readonly #stub: Client;
  readonly #channel: ReturnType<typeof channelOf>;
  /** Asked at each call; null where something stands between stub and channel for good. */
  readonly #isStraight: (() => boolean) | null;
  readonly #readSettings: SettingsReader;
  readonly #remembered = rememberedSettings();

  constructor(stub: Client) {
    this.#stub = stub;
    this.#channel = channelOf(stub);
    this.#isStraight = this.#channel === null ? null : straightWay(stub);
    this.#readSettings = this.#channel === null ? plainSettings : freshSettings;
  }

  method(name: string): PromiseMethod {
    const definition = definitionOf(this.#stub, name);
    if (definition === null) return this.#probedMethod(name);
    const { requestStream, responseStream } = definition;
    const kind = { name, requestStream: Boolean(requestStream), responseStream: Boolean(responseStream) };
    this.#teach(definition);
    return promiseMethod(kind, this.#waysOf(kind, definition));
  }

  #probedMethod(name: string): PromiseMethod {
    let method: PromiseMethod | null = null;
    return (first, second) => {
      if (method === null) {
        const kind = probeKind(this.#stub, name, first);
        const way = new StubWay(this.#stub, kind, this.#readSettings, this.#channel === null);
        method = promiseMethod(kind, () => way);
      }
      return method(first, second);
    };
  }

  #waysOf(kind: MethodKind, definition: MethodDefinition): () => CallWay {
    const stub = this.#stub;
    const through = new StubWay(stub, kind, this.#readSettings, this.#channel === null);
    const isStraight = this.#isStraight;
    const generated: unknown = Reflect.get(stub, kind.name);
    if (isStraight === null || this.#channel === null || !isGenerated(generated)) return () => through;
    const straight = new ChannelWay(this.#channel, definition, this.#remembered);
    // A spy or a wrapper put on the stub later on is not passed by either.
    return () => (isStraight() && Reflect.get(stub, kind.name) === generated ? straight : through);
  }

  /** Without a definition our channel tells the kind of a call by the way in which grpc-js's `Client` uses it. */
  #teach(definition: MethodDefinition): void {
    const channel = this.#channel instanceof ChannelView ? this.#channel.channel : this.#channel;
    if (channel?.known.kindOf(definition.path) === null) channel.known.add([{ ...definition }]);
  }
}
