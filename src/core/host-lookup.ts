/** Turns a host name into IP addresses. Rejects when the name has none. The system's own is in `discovery`. */
export type HostLookup = (host: string) => Promise<readonly string[]>;
