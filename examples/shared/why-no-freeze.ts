/** Why no process can be frozen here, or undefined when it can. */
export function whyNoFreeze(platform: NodeJS.Platform = process.platform): string | undefined {
  return platform === "win32" ? "this system has no SIGSTOP" : undefined;
}
