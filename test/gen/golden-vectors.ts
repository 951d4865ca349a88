import { readFileSync } from "node:fs";

const PACKAGES = ["raftpb", "kvraftpb", "shardctrlerpb", "shardkvpb", "grpc.health.v1", "newer"];

/** What protoc wrote, by `package.Message` and title: hex, or for the long append its length and SHA-256. */
export function goldenVectors(): ReadonlyMap<string, string> {
  return new Map(PACKAGES.flatMap(linesOf));
}

function linesOf(of: string): [string, string][] {
  const text = readFileSync(new URL(`../fixtures/wire/${of}.golden.txt`, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [message, title, bytes] = line.split(" | ");
      return [`${of}.${message} | ${title}`, bytes === "no bytes" ? "" : bytes!];
    });
}
