import { describe, expect, it } from "vitest";
import { isKnownScheme, refusedScheme, splitTarget } from "../../src/discovery/target-scheme.js";

describe("splitTarget", () => {
  it.each([
    ["users:50051", "dns", null, "users:50051"],
    ["users", "dns", null, "users"],
    ["dns:users:50051", "dns", null, "users:50051"],
    ["dns:///users:50051", "dns", "", "users:50051"],
    ["DNS:///users:50051", "dns", "", "users:50051"],
    ["dns://8.8.8.8/users", "dns", "8.8.8.8", "users"],
    ["dns://users:50051", "dns", "users:50051", ""],
    ["unix:/tmp/a", "unix", null, "/tmp/a"],
    ["unix:///tmp/a", "unix", "", "tmp/a"],
    ["static:///a:1,b:2", "static", "", "a:1,b:2"],
    ["unknown_scheme:///x", "unknown_scheme", "", "x"],
  ])("cuts %s at its seams", (target, scheme, authority, path) => {
    expect(splitTarget(target)).toEqual({ scheme, authority, path });
  });

  it.each(["etcd:2379", "consul:8500", "static:50051", "file:1", "http:80", "xds:1"])(
    "reads %s as host and port, since people name hosts like that and gRPC reads it so",
    (target) => {
      expect(splitTarget(target)).toEqual({ scheme: "dns", authority: null, path: target });
    },
  );

  it.each([
    "lb:8080",
    "discovery:grpc",
    "users:50051",
    "users:abc",
    "a:1,b:2",
    "fe80::1",
    "::1",
    "[::1]:50051",
    "1.2.3.4:5",
  ])("sees no scheme in %s", (target) => {
    expect(splitTarget(target).path).toBe(target);
  });

  it.each([
    ["statc:a:1,b:2", "statc"],
    ["consul:users", "consul"],
    ["xds:users", "xds"],
    ["http://users:50051", "http"],
  ])("sees the scheme of %s, so that it is refused by name", (target, scheme) => {
    expect(splitTarget(target).scheme).toBe(scheme);
  });
});

describe("isKnownScheme", () => {
  it("knows what this version resolves, and no more", () => {
    const known = ["static", "ipv4", "ipv6", "unix", "dns", "consul", "xds", "constructor"].filter(
      isKnownScheme,
    );

    expect(known).toEqual(["static", "ipv4", "ipv6", "unix", "dns", "consul"]);
  });
});

describe("refusedScheme", () => {
  it.each([
    ["xds", "@grpc/grpc-js-xds and write passthrough:///xds:///service"],
    ["grpclb", "round_robin"],
    ["unix-abstract", "use unix:/path"],
    ["https", "write host:port"],
    ["statc", "did you mean static?"],
    ["srv", "write dns:///_service._tcp.domain"],
    ["k8s", "for a headless service write dns:///"],
    ["kubernetes", "for a headless service write dns:///"],
    ["lb", "consul:///service, etcd:///prefix, or dns:///host:port"],
    ["discovery", "consul:///service, etcd:///prefix, or dns:///host:port"],
    ["unknown_scheme", "known: static, ipv4, ipv6, unix, dns, consul, etcd, file, passthrough"],
    ["constructor", "unknown scheme"],
  ])("says for %s what to use", (scheme, advice) => {
    const problem = refusedScheme(scheme, `${scheme}:///x`);

    expect(problem).toContain(`"${scheme}:///x"`);
    expect(problem).toContain(advice);
  });

  it.each(["zk", "statc", "k8s"])(
    "says for %s, which anybody may have, that it must be registered first",
    (scheme) => {
      expect(refusedScheme(scheme, `${scheme}:///x`)).toContain(
        `; a scheme of your own needs registerResolver("${scheme}", ...) before the channel is made`,
      );
    },
  );

  it.each(["xds", "http", "unix-abstract"])(
    "says nothing of the sort for %s, which nobody can register",
    (scheme) => {
      expect(refusedScheme(scheme, `${scheme}:///x`)).not.toContain("registerResolver");
    },
  );
});
