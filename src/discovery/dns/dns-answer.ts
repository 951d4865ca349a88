import { isIP } from "node:net";
import { canonicalAddress, type Endpoint } from "../../core/index.js";

/**
 * One endpoint per address of a lookup's answer, none twice, families interleaved. Each keeps the host as
 * `serverName`, so that `:authority` and the TLS certificate are checked against the name, not the IP address.
 * @throws Error when there is no address, or something that is none: an empty set would take every endpoint away.
 */
export function endpointsOf(serverName: string, port: number, addresses: readonly string[]): Endpoint[] {
  const stranger = addresses.find((address) => isIP(address) === 0);
  if (stranger !== undefined) {
    throw new Error(
      `the lookup of "${serverName}" answered ${JSON.stringify(stranger)}, which is no IP address`,
    );
  }
  if (addresses.length === 0) throw new Error(`the lookup of "${serverName}" answered without any address`);
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
