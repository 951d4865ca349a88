/** Types of `consul.mjs`, which stays plain JavaScript so that it runs on a machine with nothing but Node. */

/** Full path of Consul, on PATH or else in the cache, or undefined. */
export function findConsul(): string | undefined;

/** Full path of Consul, built first where it is missing. `tell` hears of progress; default: standard error. */
export function installConsul(tell?: (line: string) => void): Promise<string>;

/** The first line of what `consul version` prints. */
export function versionOf(program: string): string;
