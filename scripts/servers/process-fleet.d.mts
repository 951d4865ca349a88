/** Types of `process-fleet.mjs`. */

/** What we did to a process; `exited` means that it ended without being asked to. */
export type ProcessState = "running" | "frozen" | "dead" | "exited";

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface ServerProcess {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  start(): void;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  logTail(): string;
}

export class ProcessFleet {
  constructor(folderPrefix: string);
  readonly folder: string;
  readonly isStopped: boolean;
  add(spec: ProcessSpec): ServerProcess;
  stop(): Promise<void>;
}

/** Ports on 127.0.0.1 that are free now. */
export function freePorts(count: number): Promise<number[]>;
