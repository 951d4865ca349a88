/** Types of `interop-server.mjs`, which stays plain JavaScript so that it runs on a machine with nothing but Node. */

/** Path of grpc-go's interoperability server, or undefined while it is not installed. */
export function findInteropServer(): string | undefined;

/** What `go version` says, or undefined where Go is not on PATH. */
export function findGo(): string | undefined;

/** Path of the server, installed first where it is missing. `tell` hears of progress; default: standard error. */
export function installInteropServer(tell?: (line: string) => void): Promise<string>;
