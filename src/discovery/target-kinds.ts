import type { SocketAddress } from "../core/index.js";
import type { ListScheme } from "./address-list.js";

/** A target cut at its seams; nothing is checked yet. */
export interface SplitTarget {
  /** In lower case; `dns` when the target names none. */
  readonly scheme: string;
  /** What stands between `//` and the next slash; null when there is no `//`. */
  readonly authority: string | null;
  readonly path: string;
}

/** What every target has. */
interface AnyTarget {
  readonly ok: true;
  /** The one spelling of this target; equal targets have equal ones. Holds no secret. */
  readonly canonical: string;
}

/** A target whose addresses it names itself: `static:`, `ipv4:`, `ipv6:`, `unix:`. */
export interface ListTarget extends AnyTarget {
  readonly scheme: ListScheme | "unix";
  /** At least one, none twice, hosts as they were written. */
  readonly addresses: readonly SocketAddress[];
  /**
   * What gRPC sends as `:authority`: for `ipv4:` and `ipv6:` the first address as written, for `unix:` "localhost".
   * Null for `static:`, where each endpoint goes by its own `host:port` (a socket path by "localhost").
   */
  readonly defaultAuthority: string | null;
}

/** A target whose host is looked up. */
export interface DnsTarget extends AnyTarget {
  readonly scheme: "dns";
  /** A name or an IP address, as it was written, without brackets. */
  readonly host: string;
  /** 443 when the target names none, as in gRPC; null where SRV records name the ports. */
  readonly port: number | null;
  /** Addresses of the DNS servers to ask, as Node takes them; empty for the system's own look-up. */
  readonly servers: readonly string[];
  /** Host and port as they were written, without a default port added. */
  readonly defaultAuthority: string;
}

/** A service in Consul. */
export interface ConsulTarget extends AnyTarget {
  readonly scheme: "consul";
  /** Consul's HTTP address; null for what the environment says, or the agent on this machine. */
  readonly agent: { readonly host: string; readonly port: number } | null;
  readonly service: string;
  /** All of them must be there. */
  readonly tags: readonly string[];
  readonly datacenter: string | null;
  /** Datacentres whose endpoints come after those of the first, in this order. */
  readonly failover: readonly string[];
  /** Sorts by the distance from this node; `_agent` is the agent's own. */
  readonly near: string | null;
  /** False to take endpoints in state warning as well, by their warning weight. */
  readonly isPassingOnly: boolean;
  readonly namespace: string | null;
  readonly partition: string | null;
  readonly consistency: "default" | "stale" | "consistent";
  /** Name of the tagged address to use, such as `wan`; null for the service's address. */
  readonly taggedAddress: string | null;
  /** An expression of Consul's filter language; null for none. */
  readonly filter: string | null;
}

/** Endpoints under a prefix in etcd. */
export interface EtcdTarget extends AnyTarget {
  readonly scheme: "etcd";
  readonly servers: readonly SocketAddress[];
  /** Without a slash at its end. */
  readonly prefix: string;
}

/** A list of endpoints in a file. */
export interface FileTarget extends AnyTarget {
  readonly scheme: "file";
  /** Absolute. */
  readonly path: string;
}

/** Whatever grpc-js itself understands, as one endpoint. */
export interface PassthroughTarget extends AnyTarget {
  readonly scheme: "passthrough";
  /** The target for grpc-js. */
  readonly inner: string;
}

/** A target of a scheme that a user has registered. */
export interface CustomTarget extends AnyTarget {
  readonly scheme: "custom";
  readonly name: string;
  /** What stands between `//` and the next slash; empty for none. */
  readonly authority: string;
  /** The rest, as it was written. */
  readonly path: string;
}

/** Targets whose endpoints a resolver finds. */
export type ResolvedTarget = ListTarget | DnsTarget | ConsulTarget | EtcdTarget | FileTarget | CustomTarget;
export type ValidTarget = ResolvedTarget | PassthroughTarget;

/** A target that cannot be used, and every reason why: phrases that name the value and what is allowed. */
export interface InvalidTarget {
  readonly ok: false;
  readonly problems: readonly string[];
}

export type ParsedTarget = ValidTarget | InvalidTarget;

export function refuse(...problems: string[]): InvalidTarget {
  return { ok: false, problems };
}
