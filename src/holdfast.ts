import type { Client, status } from "@grpc/grpc-js";
import { createChannel, type ResilientChannel, withPreset } from "./call/index.js";
import {
  type Config,
  type ConfigEntry,
  type ConfigInput,
  configJsonSchema,
  entryOf,
  type PresetsBeneath,
  parseConfig,
  placeOf,
  readConfigFile,
  type Section,
} from "./config/index.js";
import { Closable, type CloseOptions, ResilienceError, type TlsFileOptions } from "./core/index.js";
import { type Hardened, type StubClass, stubFor } from "./interceptors/index.js";
import { tlsProblems } from "./pool/index.js";
import {
  type Clerk,
  type ClerkCollaborators,
  type CommandCodec,
  createClerk,
  createRaftPeers,
  type GrpcRaftPeer,
} from "./raft-peer/index.js";

/** What the things made from a configuration work with beside it. Tests replace it; everybody else leaves it alone. */
export interface HoldfastCollaborators extends ClerkCollaborators {}

/** What `holdfast.raftPeers` may be told beside the configuration. */
export interface RaftPeersSettings<Command> {
  /** This node's place in `addresses`, before what the configuration says. */
  readonly me?: number;
  /** Turns commands into bytes and back. Default: commands are bytes. */
  readonly commandCodec?: CommandCodec<Command>;
}

/** `CLIENT_CLOSED` is CANCELLED, so that nobody's loop on UNAVAILABLE spins on it. */
const CANCELLED: status.CANCELLED = 1;

interface Peers {
  readonly name: string;
  readonly me: number;
  readonly commandCodec: unknown;
  readonly list: readonly (GrpcRaftPeer<never> | null)[];
}

/**
 * Everything a configuration names, each made when it is first asked for. Nothing here does network I/O before the
 * first call, but for a channel that is told to: `connecting: eager`.
 */
export class Holdfast extends Closable {
  readonly #channels = new Map<string, ResilientChannel>();
  readonly #clerks = new Map<string, Clerk>();
  readonly #peers: Peers[] = [];

  // Hidden from whoever prints this object, which would print all of it.
  readonly #config: Config;
  readonly #collaborators: HoldfastCollaborators;

  private constructor(config: Config, collaborators: HoldfastCollaborators) {
    super();
    this.#config = config;
    this.#collaborators = collaborators;
  }

  /**
   * Reads a configuration: JSON when the name ends in `.json`, YAML 1.2 otherwise. Environment variables in it are not
   * expanded; relative paths in it begin at its folder; top-level keys that begin with `x-` are passed over.
   *
   * @throws ResilienceError `CONFIG_INVALID` that lists every problem of the file
   */
  static async fromFile(file: string | URL, collaborators: HoldfastCollaborators = {}): Promise<Holdfast> {
    return new Holdfast(parseConfig(await readConfigFile(file), beneath, tlsProblems), collaborators);
  }

  /**
   * The same from an object, which is copied. Relative paths in it begin at the working directory.
   *
   * @throws ResilienceError `CONFIG_INVALID` that lists every problem of the object
   */
  static fromObject(config: ConfigInput, collaborators: HoldfastCollaborators = {}): Holdfast {
    const written = { data: config, where: "Holdfast.fromObject", folder: "." };
    return new Holdfast(parseConfig(written, beneath, tlsProblems), collaborators);
  }

  /** The schema of the file as JSON Schema, for editors. */
  static jsonSchema(): object {
    return configJsonSchema();
  }

  /**
   * The channel of this name, always the same one.
   *
   * @throws ResilienceError `CONFIG_INVALID` for a name that is not configured, `CLIENT_CLOSED` after `close()`
   */
  channel(name: string): ResilientChannel {
    const entry = this.#entry("channels", name);
    return once(this.#channels, name, () => {
      const { target, ...options } = entry.options;
      return createChannel(target, { ...options, ...security(entry) }, this.#collaborators);
    });
  }

  /**
   * A stub on the channel of this name. Closing the stub leaves the channel open.
   *
   * @throws ResilienceError as `channel` does, and `CONFIG_INVALID` when the class is no grpc-js client
   */
  stub<S extends Client>(name: string, stubClass: StubClass<S>): Hardened<S> {
    return stubFor(stubClass, this.channel(name));
  }

  /**
   * The Clerk of this name, always the same one.
   *
   * @throws ResilienceError as `channel` does
   */
  clerk(name: string): Clerk {
    const entry = this.#entry("clerks", name);
    return once(this.#clerks, name, () =>
      createClerk({ ...entry.options, ...beneathSecurity(entry) }, this.#collaborators),
    );
  }

  /**
   * The peers of the Raft cluster of this name, in the order of its addresses, null in the place of this node. The same
   * ones for the same `me` and codec.
   *
   * @throws ResilienceError as `channel` does, and `CONFIG_INVALID` when nobody says who this node is
   */
  raftPeers<Command = Uint8Array>(
    name: string,
    settings: RaftPeersSettings<Command> = {},
  ): readonly (GrpcRaftPeer<Command> | null)[] {
    const entry = this.#entry("raftPeers", name);
    const { addresses, me: _, ...options } = entry.options;
    const me = placeOf(name, settings, entry.options);
    const { commandCodec } = settings;
    const known = this.#peers.find(
      (peers) => peers.name === name && peers.me === me && peers.commandCodec === commandCodec,
    );
    if (known !== undefined) return known.list;
    const codec = commandCodec === undefined ? {} : { commandCodec };
    const list = createRaftPeers<Command>(
      addresses,
      me,
      { ...options, ...beneathSecurity(entry) },
      { ...this.#collaborators, ...codec },
    );
    this.#peers.push({ name, me, commandCodec, list });
    return list;
  }

  protected async onClose(options: CloseOptions): Promise<void> {
    const ends = await Promise.allSettled(this.#all().map((made) => made.close(options)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  protected onDestroy(error: Error | undefined): void {
    for (const channel of this.#channels.values()) channel.destroy(error);
    for (const made of this.#all()) void made.close({ drainMs: 0 });
  }

  #all(): readonly { close(options?: CloseOptions): Promise<void> }[] {
    const peers = this.#peers.flatMap(({ list }) => list).filter((peer) => peer !== null);
    return [...this.#channels.values(), ...this.#clerks.values(), ...peers];
  }

  #entry<S extends Section>(section: S, name: string): ConfigEntry<S> {
    if (!this.isClosed) return entryOf(this.#config, section, name);
    const details = `${section}.${name} was asked for after close()`;
    throw new ResilienceError({ reason: "CLIENT_CLOSED", code: CANCELLED, details });
  }
}

/** The presets that Clerks and peers put beneath the options of their channels; a channel has the one it names. */
const beneath: PresetsBeneath = (section, entry) => {
  if (section === "channels") return withPreset(entry);
  const { channel = {} } = entry;
  if (typeof channel !== "object" || channel === null || Array.isArray(channel)) return entry;
  const whole = withPreset({ ...channel, preset: section === "clerks" ? "eraft" : "raft" }) as object;
  // The preset itself may not be written, so it must not stand there for the one who wrote none.
  return { ...entry, channel: { ...whole, preset: Reflect.get(channel, "preset") } };
};

function security({
  tls,
}: ConfigEntry<Section>): { readonly insecure: true } | { readonly tls: TlsFileOptions } {
  return tls === null ? { insecure: true } : { tls };
}

/** The same for a Clerk or peers, with further options of the channels beneath. */
function beneathSecurity<C extends object>({
  options,
  tls,
}: {
  readonly options: { readonly channel?: C | undefined };
  readonly tls: TlsFileOptions | null;
}) {
  const { channel = {} } = options;
  return tls === null ? { channel, insecure: true } : { channel: { ...channel, tls } };
}

function once<T>(made: Map<string, T>, name: string, make: () => T): T {
  const found = made.get(name);
  if (found !== undefined) return found;
  const fresh = make();
  made.set(name, fresh);
  return fresh;
}
