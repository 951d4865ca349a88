/**
 * One file that only grows, or loses its end. Synchronous, so that nothing can be answered between a write and its
 * sync. Any method may throw; the node then stops, because after a failed write or sync nobody knows what is on disk.
 */
export interface Disk {
  /** The whole content. */
  read(): Uint8Array;
  append(bytes: Uint8Array): void;
  /** Keeps the first `lengthBytes` bytes. */
  truncate(lengthBytes: number): void;
  /** Returns when everything so far would survive a power cut. */
  sync(): void;
  close(): void;
}
