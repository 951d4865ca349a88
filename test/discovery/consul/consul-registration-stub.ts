import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** By a part of the path: what Consul answers there, null for nothing at all. */
export type StubAnswers = Readonly<Record<string, readonly [number, string] | null>>;

export interface ConsulStub {
  readonly address: string;
  /** `PUT /v1/agent/check/pass/service:users-1?note=fine`, in order. */
  readonly asked: string[];
  /** The namespace of each of them. */
  readonly namespaces: (string | undefined)[];
}

/** An agent that answers as it is told, and well to everything else: 200, `{}` to questions. */
export async function consulStub(answers: StubAnswers): Promise<ConsulStub> {
  const asked: string[] = [];
  const namespaces: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    asked.push(`${request.method} ${path}`);
    namespaces.push(request.headers["x-consul-namespace"]?.toString());
    const key = Object.keys(answers).find((part) => path.includes(part));
    const answer = key === undefined ? ([200, request.method === "GET" ? "{}" : ""] as const) : answers[key];
    if (answer === null || answer === undefined) return;
    const [status, text] = answer;
    const type = text.startsWith("{") ? "application/json" : "text/plain";
    response.writeHead(status, { "content-type": type }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, namespaces };
}
