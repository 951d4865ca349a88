import { type DnsAnswer, type DnsQuestion, endpointsOf } from "./dns-answer.js";
import type { HostAddresses } from "./host-addresses.js";

/** Asks for the addresses of a host; the target names the port. */
export class HostQuestion implements DnsQuestion {
  constructor(
    private readonly serverName: string,
    private readonly port: number,
    private readonly host: HostAddresses,
    private readonly giveUp: () => void,
  ) {}

  async ask(): Promise<DnsAnswer> {
    await this.host.look();
    const { addresses, ttlMs } = this.host;
    return { endpoints: endpointsOf(this.serverName, this.port, addresses), ttlMs };
  }

  cancel(): void {
    this.giveUp();
  }
}
