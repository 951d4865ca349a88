/** Types of `consul-cluster.mjs`, which stays plain JavaScript so that it runs on a machine with nothing but Node. */
import type { ServerCluster, StartOptions } from "./servers/server-cluster.mjs";
import type { ServerNode } from "./servers/server-node.mjs";

/** A server of Consul's; every one is an agent too, at which services register. All addresses are `127.0.0.1:port`. */
export interface ConsulNode extends ServerNode {
  /** The same as `address`. */
  readonly httpAddress: string;
  /** With `tls` only. */
  readonly httpsAddress: string | undefined;
  readonly dnsAddress: string;
  /** Where other datacentres join it (`retry_join_wan`). */
  readonly wanAddress: string;
  /** With `acl` only: the token that may do everything. */
  readonly token: string | undefined;
}

/** One agent, alone. */
export interface ConsulAgent extends ConsulNode {
  /** The temporary folder with configuration and log. */
  readonly folder: string;
  /** Kills it and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ConsulCluster extends ServerCluster<ConsulNode> {
  readonly kind: "consul";
}

export interface ConsulOptions extends StartOptions {
  /** Refuses whatever no token allows, and has a token that may do everything. Default false. */
  readonly acl?: boolean;
  /** Serves HTTPS too, with these PEM texts; plaintext HTTP stays. */
  readonly tls?: ConsulTls;
  /** More of Consul's own configuration, which wins over ours: `{ datacenter: "dc2" }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface ConsulTls {
  readonly ca: string | Uint8Array;
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Whether clients need a certificate of that authority's. Default false. */
  readonly verifyClients?: boolean;
}

/** Starts one agent in development mode, whose state dies with it; returns it once it serves. */
export function startConsul(options?: ConsulOptions): Promise<ConsulAgent>;

/** Starts a cluster, whose state is on disk; returns it once every server is healthy and one leads. Default: 3 servers. */
export function startConsulCluster(
  options?: ConsulOptions & { readonly servers?: number },
): Promise<ConsulCluster>;
