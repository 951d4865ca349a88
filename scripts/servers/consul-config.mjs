/** The configuration of Consul agents that live for a test: on loopback, in a hurry, and alone in the world. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "./process-fleet.mjs";

/** What an agent listens on. There is no gRPC: that is for service meshes. */
const LISTENERS = ["http", "https", "dns", "server", "serf_lan", "serf_wan"];
const MANY = 2_000;

/** Ports of `count` agents, free now. */
export async function portsOf(count) {
  const free = await freePorts(count * LISTENERS.length);
  const nextPort = () => free.pop();
  return Array.from({ length: count }, () => Object.fromEntries(LISTENERS.map((name) => [name, nextPort()])));
}

/**
 * Writes the configuration of one agent into `folder` and returns the arguments that name it. The user's own `config`
 * comes last and wins.
 */
export function writeConfig(folder, name, ports, { token, tls, cluster = {}, config = {} }) {
  const own = { ...baseConfig(name, ports, tls), ...aclConfig(token), ...tlsConfig(folder, tls), ...cluster };
  return [own, config].flatMap((part, index) => {
    const file = join(folder, `${name}-${index}.json`);
    writePrivate(file, JSON.stringify(part));
    return ["-config-file", file];
  });
}

function baseConfig(name, ports, tls) {
  // As in Consul's development mode; otherwise a dead server counts as alive for many seconds.
  const gossip = {
    gossip_interval: "100ms",
    probe_interval: "100ms",
    probe_timeout: "100ms",
    suspicion_mult: 3,
  };
  return {
    node_name: name,
    server: true,
    bind_addr: "127.0.0.1",
    client_addr: "127.0.0.1",
    ports: { ...ports, https: tls === undefined ? -1 : ports.https, grpc: -1, grpc_tls: -1 },
    log_level: "warn",
    performance: { raft_multiplier: 1 },
    gossip_lan: gossip,
    gossip_wan: gossip,
    // All tests come from one address.
    limits: { http_max_conns_per_client: MANY, rpc_max_conns_per_client: MANY },
    connect: { enabled: false },
    peering: { enabled: false },
    ui_config: { enabled: false },
    disable_update_check: true,
    disable_anonymous_signature: true,
  };
}

/** Nothing is allowed without a token; this one may do everything, and is the agent's own. */
function aclConfig(token) {
  if (token === undefined) return {};
  const tokens = { initial_management: token, agent: token };
  return { acl: { enabled: true, default_policy: "deny", tokens } };
}

/** For HTTPS alone: servers talk to each other in plaintext. */
function tlsConfig(folder, tls) {
  if (tls === undefined) return {};
  const { ca, cert, key, verifyClients = false } = tls;
  const files = { ca_file: "https-ca.pem", cert_file: "https-cert.pem", key_file: "https-key.pem" };
  const paths = Object.fromEntries(
    Object.entries(files).map(([option, file]) => [option, join(folder, file)]),
  );
  writePrivate(paths.ca_file, ca);
  writePrivate(paths.cert_file, cert);
  writePrivate(paths.key_file, key);
  return { tls: { https: { ...paths, verify_incoming: verifyClients } } };
}

function writePrivate(path, text) {
  writeFileSync(path, text, { mode: 0o600 });
}
