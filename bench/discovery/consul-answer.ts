/** An answer of Consul's health endpoint with so many instances, as Consul writes it. */
export function consulAnswer(instances: number, changed: number | null = null): string {
  return JSON.stringify(
    Array.from({ length: instances }, (_, place) => entry(place === changed ? place + instances : place)),
  );
}

function entry(number: number): object {
  const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const node = `node-${number >> 3}`;
  return {
    Node: {
      ID: `00000000-0000-0000-0000-${String(number >> 3).padStart(12, "0")}`,
      Node: node,
      Address: address,
      Datacenter: "dc1",
      TaggedAddresses: { lan: address, lan_ipv4: address, wan: address, wan_ipv4: address },
      Meta: { "consul-network-segment": "", "consul-version": "1.21.0", zone: `zone-${number % 3}` },
      CreateIndex: 12,
      ModifyIndex: 15,
    },
    Service: {
      ID: `users-${number}`,
      Service: "users",
      Tags: ["grpc", "v2"],
      Address: address,
      TaggedAddresses: {
        lan_ipv4: { Address: address, Port: 50_051 },
        wan_ipv4: { Address: address, Port: 50_051 },
      },
      Meta: { version: "2.4.1" },
      Port: 50_051,
      Weights: { Passing: 10, Warning: 1 },
      EnableTagOverride: false,
      Proxy: { Mode: "", MeshGateway: {}, Expose: {} },
      Connect: {},
      PeerName: "",
      CreateIndex: 40 + number,
      ModifyIndex: 40 + number,
    },
    Checks: [check(node, "serfHealth", ""), check(node, `service:users-${number}`, `users-${number}`)],
  };
}

function check(node: string, id: string, serviceId: string): object {
  return {
    Node: node,
    CheckID: id,
    Name: serviceId === "" ? "Serf Health Status" : "Service 'users' check",
    Status: "passing",
    Notes: "",
    Output: serviceId === "" ? "Agent alive and reachable" : "gRPC check: success",
    ServiceID: serviceId,
    ServiceName: serviceId === "" ? "" : "users",
    ServiceTags: serviceId === "" ? [] : ["grpc", "v2"],
    Type: serviceId === "" ? "" : "grpc",
    Interval: serviceId === "" ? "" : "10s",
    Definition: {},
    CreateIndex: 12,
    ModifyIndex: 15,
  };
}
