import { canonicalAddress, type Endpoint } from "../../core/index.js";

/** What one look-up of a name brought. */
export interface DnsAnswer {
  readonly endpoints: readonly Endpoint[];
  /** How long the records may be kept, in milliseconds; null where nobody says. */
  readonly ttlMs: number | null;
}

/** One name, to be asked for again and again. */
export interface DnsQuestion {
  /** Rejects where there is no answer, or none with an address. */
  ask(): Promise<DnsAnswer>;
  /** Gives up whatever is under way, for good. */
  cancel(): void;
}

/**
 * One endpoint per address of a host, none twice, families interleaved. Each keeps the host as `serverName`, so that
 * `:authority` and the TLS certificate are checked against the name, not the IP address.
 */
export function endpointsOf(serverName: string, port: number, addresses: readonly string[]): Endpoint[] {
  const unique = new Set(addresses.map((address) => canonicalAddress({ kind: "tcp", host: address, port })));
  return interleave([...unique]).map((address) => ({ address, serverName }));
}

/**
 * Alternates IPv6 and IPv4, starting with the family of the first address (RFC 8305 section 4, gRFC A61), so that
 * one broken family costs every other dial instead of the first half of them.
 */
function interleave(addresses: readonly string[]): string[] {
  const isFirstFamily = (address: string) => isBracketed(address) === isBracketed(addresses[0] ?? "");
  const first = addresses.filter(isFirstFamily);
  const second = addresses.filter((address) => !isFirstFamily(address));
  const rounds = Math.max(first.length, second.length);
  return Array.from({ length: rounds }, (_, round) => [
    ...first.slice(round, round + 1),
    ...second.slice(round, round + 1),
  ]).flat();
}

function isBracketed(address: string): boolean {
  return address.startsWith("[");
}
