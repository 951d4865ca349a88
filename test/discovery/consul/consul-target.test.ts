import { describe, expect, it } from "vitest";
import { datacentresOf } from "../../../src/discovery/consul/consul-target.js";
import { parseTarget } from "../../../src/discovery/target.js";
import { consulTarget } from "./started-consul.js";

const PLAIN = {
  ok: true,
  scheme: "consul",
  agent: null,
  service: "web",
  tags: [],
  datacenter: null,
  failover: [],
  near: null,
  isPassingOnly: true,
  namespace: null,
  partition: null,
  consistency: "default",
  taggedAddress: null,
  filter: null,
};

function problemsOf(target: string): readonly string[] {
  const parsed = parseTarget(target);
  return parsed.ok ? [] : parsed.problems;
}

describe("a consul: target", () => {
  it("takes the agent of the environment when it names none", () => {
    expect(parseTarget("consul:///web")).toEqual({ ...PLAIN, canonical: "consul:///web" });
  });

  it("says everything that may be asked for", () => {
    const target =
      "consul://Consul.internal:8501/web?tag=v2&tag=eu&dc=dc1&failover=dc3,dc2&near=_agent&passing=false" +
      "&ns=team&partition=east&consistency=stale&address=wan&filter=Service.Meta.v%20==%20%222%22";

    expect(parseTarget(target)).toEqual({
      ...PLAIN,
      canonical:
        "consul://consul.internal:8501/web?address=wan&consistency=stale&dc=dc1&failover=dc3,dc2" +
        "&filter=Service.Meta.v%20%3D%3D%20%222%22&near=_agent&ns=team&partition=east&passing=false&tag=eu&tag=v2",
      agent: { host: "Consul.internal", port: 8501 },
      tags: ["eu", "v2"],
      datacenter: "dc1",
      failover: ["dc3", "dc2"],
      near: "_agent",
      isPassingOnly: false,
      namespace: "team",
      partition: "east",
      consistency: "stale",
      taggedAddress: "wan",
      filter: 'Service.Meta.v == "2"',
    });
  });

  it.each([
    ["consul://consul/web", { host: "consul", port: 8500 }],
    ["consul://[::1]/web", { host: "::1", port: 8500 }],
    ["consul://[::1]:9/web", { host: "::1", port: 9 }],
    ["CONSUL://10.0.0.1:9/web", { host: "10.0.0.1", port: 9 }],
  ])("reads the agent of %s, with Consul's port for none", (target, agent) => {
    expect(parseTarget(target)).toMatchObject({ ok: true, agent });
  });

  it.each([
    ["consul:///web%20shop", "web shop"],
    ["consul:///a%2Fb", "a/b"],
    ["consul:///%C3%BCser", "üser"],
    ["consul:///Web_1.x", "Web_1.x"],
  ])("takes the name of a service as Consul does: %s", (target, service) => {
    const parsed = parseTarget(target);

    expect(parsed).toMatchObject({ ok: true, service });
  });

  it.each(["consul:///web?passing=true&consistency=default", "consul:///%77eb", "consul:///web?"])(
    "has one spelling, whatever the way it is written: %s",
    (target) => {
      expect(parseTarget(target)).toMatchObject({ canonical: "consul:///web" });
    },
  );

  it.each(["consul:///web?tag=a%26b&tag=%25", "consul://[::1]:9/a%2Fb?filter=a%20%3D%3D%20b&failover=x,y"])(
    "reads its own spelling again as the same: %s",
    (target) => {
      const once = consulTarget(target);

      expect(consulTarget(once.canonical)).toEqual(once);
    },
  );

  it("keeps a plus a plus", () => {
    expect(parseTarget("consul:///web?tag=c++")).toMatchObject({ tags: ["c++"] });
  });
});

describe("a consul: target that cannot be used", () => {
  it.each([
    ["consul:web", 'the target "consul:web" has no slashes after consul:; write consul:///web'],
    ["consul:/web", 'the target "consul:/web" has one slash after consul:; write consul:///web'],
    ["consul:", 'the target "consul:" has no slashes after consul:; write consul:///service'],
    [
      "consul:////web",
      'the target "consul:////web" has a slash too many before its service; write consul:///web',
    ],
    [
      "consul://host:1//web?tag=a",
      'the target "consul://host:1//web" has a slash too many before its service; write consul://host:1/web',
    ],
    ["consul://web", 'the target "consul://web" names no service; write consul:///web'],
    ["consul://web?tag=a", 'the target "consul://web" names no service; write consul:///web'],
    [
      "consul://host:8500/",
      'the target "consul://host:8500/" names no service; write consul://host:8500/service or consul:///service',
    ],
    [
      "consul:///?tag=a",
      'the target "consul:///" names no service; write consul://host:8500/service or consul:///service',
    ],
    ["consul://host:0/web", 'the address "host:0" of Consul has the port "0"; allowed are 1 to 65535'],
    [
      "consul://host:65536/web",
      'the address "host:65536" of Consul has the port "65536"; allowed are 1 to 65535',
    ],
    ["consul://::1/web", 'the address "::1" of Consul is an IPv6 address without brackets; write [::1]:8500'],
    ["consul://[::1/web", 'the address "[::1" of Consul lacks one of its brackets; write [::1]:8500'],
    [
      "consul://[::1:8500/web",
      'the address "[::1:8500" of Consul lacks one of its brackets; write [::1]:8500',
    ],
    ["consul://::1]/web", 'the address "::1]" of Consul lacks one of its brackets; write [::1]:8500'],
    [
      "consul://unix:x/web",
      'the target "consul://unix:x/web" names a socket path, where Consul\'s host:port belongs',
    ],
    [
      "consul:///a/b",
      'the target "consul:///a/b" has more than one name in its path; write a slash of the service as %2F',
    ],
    [
      "consul:///a%zz",
      'the target "consul:///a%zz" has a % in its service that begins no code; write a percent sign as %25',
    ],
    [
      "consul:///a#b",
      'the target "consul:///a#b" has a #, which begins nothing here; write one of the service as %23',
    ],
    [
      "consul:///a%00",
      'the target "consul:///a%00" has a service name with control characters, or of more than 255 characters',
    ],
    ["consul:///web?pasing=a", 'a consul: target has the unknown parameter "pasing" (did you mean passing?)'],
    ["consul:///web?stale", 'a consul: target has the unknown parameter "stale" (write consistency=stale)'],
    ["consul:///web?namespace=a", 'a consul: target has the unknown parameter "namespace" (write ns=)'],
    [
      "consul:///web?__proto__=a",
      'a consul: target has the unknown parameter "__proto__" (known: address, consistency, dc, failover, filter, near, ns, partition, passing, tag)',
    ],
    ["consul:///web?passing=yes", 'the parameter passing of a consul: target is "yes"; allowed: true, false'],
    [
      "consul:///web?passing",
      "the parameter passing of a consul: target has no value; write passing=, allowed: true, false",
    ],
    [
      "consul:///web?consistency=strong",
      'the parameter consistency of a consul: target is "strong"; allowed: default, stale, consistent',
    ],
    ["consul:///web?dc=", 'the parameter dc of a consul: target is ""; allowed: letters, digits, - and _'],
    [
      "consul:///web?failover=a,,b",
      'the parameter failover of a consul: target is "a,,b"; allowed: datacentres separated by commas',
    ],
    [
      "consul:///web?tag=%",
      "the parameter tag of a consul: target has a % that begins no code; write a percent sign as %25, and & as %26",
    ],
    ["consul:///web?dc=a&dc=b", "the parameter dc of a consul: target is there 2 times; name it once"],
    ["consul:///web?tag=a&tag=a", 'the parameter tag of a consul: target repeats "a"; name each tag once'],
    ["consul:///web?dc=a&failover=b,a", "the datacentre a is named twice in dc and failover; name each once"],
  ])("says what is wrong with %s", (target, problem) => {
    expect(problemsOf(target)).toEqual([problem]);
  });

  it("tells every problem at once", () => {
    expect(problemsOf("consul://host:0/?dc=!&tga=a&passing=1")).toHaveLength(5);
  });

  it.each([
    "consul://user:s3cret@host/web?token=s3cret",
    "consul://user:s3cret/more@host/web",
    "consul://s3cret/more@host/web?tokn=s3cret",
    "consul:///?token=s3cret",
    "consul:web?token=s3cret",
    "consul:user:s3cret@host/web",
    "consul://host/?tokn=s3cret&my_secret=s3cret",
  ])("tells no password and no token of %s", (target) => {
    const problems = problemsOf(target);

    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join()).not.toContain("s3cret");
  });

  it("refuses an @ before the query, and takes one that is part of a service or a tag", () => {
    expect(problemsOf("consul://me@host/web")).toEqual([
      "a consul: target has an @, as if a user or a password stood before the host; a token belongs into discovery.consul, and an @ of a service is written %40",
    ]);
    expect(parseTarget("consul:///a%40b?tag=c@d")).toMatchObject({ service: "a@b", tags: ["c@d"] });
  });

  it("has a name of a sensible length", () => {
    expect(problemsOf(`consul:///${"a".repeat(255)}`)).toEqual([]);
    expect(problemsOf(`consul:///${"a".repeat(256)}`)).toHaveLength(1);
  });
});

describe("datacentresOf", () => {
  it("leaves a target without failover as it is", () => {
    const target = consulTarget("consul:///web?dc=dc1");

    expect(datacentresOf(target)).toEqual([target]);
  });

  it("names one target for each datacentre, in order, equal to what a user would write", () => {
    const target = consulTarget("consul://h:1/web?dc=dc1&failover=dc3,dc2&tag=a");

    expect(datacentresOf(target)).toEqual([
      consulTarget("consul://h:1/web?dc=dc1&tag=a"),
      consulTarget("consul://h:1/web?dc=dc3&tag=a"),
      consulTarget("consul://h:1/web?dc=dc2&tag=a"),
    ]);
  });

  it("begins with the agent's own datacentre when the target names none", () => {
    const targets = datacentresOf(consulTarget("consul:///web?failover=dc2"));

    expect(targets.map(({ canonical }) => canonical)).toEqual(["consul:///web", "consul:///web?dc=dc2"]);
  });
});
