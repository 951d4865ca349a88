import { CallCredentials, Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  canRefresh,
  composeCredentials,
  refreshingCredentials,
} from "../../src/call/refreshing-credentials.js";

const ASKED = { method_name: "/test.Echo/Say", service_url: "https://users.example/test.Echo" };

/** Credentials that number their tokens, and count how often they were fetched anew. */
function numbered() {
  let asked = 0;
  let refreshes = 0;
  const credentials = refreshingCredentials(({ isRefresh }) => {
    if (isRefresh) refreshes++;
    return { authorization: `token ${++asked}` };
  });
  return { credentials, refreshes: () => refreshes };
}

describe("composed credentials", () => {
  const apiKey = CallCredentials.createFromMetadataGenerator((_asked, callback) => {
    const metadata = new Metadata();
    metadata.set("api-key", "k");
    callback(null, metadata);
  });

  it.each<[string, (fetched: CallCredentials) => CallCredentials]>([
    ["fetched.compose(other)", (fetched) => fetched.compose(apiKey)],
    ["composeCredentials(fetched, other)", (fetched) => composeCredentials(fetched, apiKey)],
    ["composeCredentials(other, fetched)", (fetched) => composeCredentials(apiKey, fetched)],
    ["three", (fetched) => composeCredentials(apiKey, fetched).compose(apiKey)],
  ])("by %s carry both, and refresh the fetched ones", async (_how, compose) => {
    const fetched = numbered();
    const composed = compose(fetched.credentials);
    if (!canRefresh(composed)) throw new Error("cannot be refreshed");

    composed.refresh();
    const metadata = await composed.generateMetadata(ASKED);

    expect(metadata.getMap()).toEqual({ authorization: "token 1", "api-key": "k" });
    expect(fetched.refreshes()).toBe(1);
    expect(composed.generation).toBe(1);
  });

  it("refresh both where both can be", async () => {
    const [first, second] = [numbered(), numbered()];
    const composed = composeCredentials(first.credentials, second.credentials);
    if (!canRefresh(composed)) throw new Error("cannot be refreshed");

    composed.refresh(composed.generation);
    await composed.generateMetadata(ASKED);
    composed.refresh(0);
    await composed.generateMetadata(ASKED);

    expect([first.refreshes(), second.refreshes()]).toEqual([1, 1]);
    expect(composed.generation).toBe(2);
  });

  it("with none are the same", () => {
    const credentials = refreshingCredentials(() => ({}));

    expect(credentials.compose(CallCredentials.createEmpty())).toBe(credentials);
    expect(CallCredentials.createEmpty().compose(credentials)).toBe(credentials);
  });

  it("that nobody fetches cannot be refreshed", () => {
    expect(
      [apiKey, apiKey.compose(apiKey), CallCredentials.createEmpty(), null, undefined].map(canRefresh),
    ).toEqual(Array(5).fill(false));
    expect(canRefresh(composeCredentials(apiKey, apiKey))).toBe(false);
  });
});
