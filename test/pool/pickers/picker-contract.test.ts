import { leastLatency } from "../../../src/pool/pickers/least-latency.js";
import { leastRequest } from "../../../src/pool/pickers/least-request.js";
import { pickFirst } from "../../../src/pool/pickers/pick-first.js";
import { random } from "../../../src/pool/pickers/random.js";
import { roundRobin } from "../../../src/pool/pickers/round-robin.js";
import { weightedRoundRobin } from "../../../src/pool/pickers/weighted-round-robin.js";
import { weightedRoundRobinOptionsSchema } from "../../../src/pool/pickers/weighted-round-robin-options.js";
import { fakeCandidates } from "./fake-candidate.js";
import { describePicker } from "./picker-contract.js";

describePicker("round_robin", roundRobin);
describePicker("pick_first", pickFirst, { usesAll: false });
describePicker("random", random);
describePicker("least_request", leastRequest({ choiceCount: 2 }));
describePicker("least_request with ten choices", leastRequest({ choiceCount: 10 }));
describePicker("least_latency", leastLatency);
describePicker("least_latency where all but a few are measured", leastLatency, {
  candidates: (count) => {
    const candidates = fakeCandidates(count);
    for (const [index, candidate] of candidates.entries()) candidate.latency = index % 5 === 0 ? -1 : 10;
    return candidates;
  },
});
describePicker("weighted_round_robin", weightedRoundRobin(weightedRoundRobinOptionsSchema.parse({})), {
  candidates: (count) => fakeCandidates(Array.from({ length: count }, (_, index) => 1 + (index % 5))),
});
describePicker(
  "weighted_round_robin by load reports",
  weightedRoundRobin(weightedRoundRobinOptionsSchema.parse({ source: "load_reports" })),
  {
    candidates: (count) => {
      const candidates = fakeCandidates(count);
      for (const [index, candidate] of candidates.entries()) candidate.weight = (index % 7) * 10;
      return candidates;
    },
  },
);
