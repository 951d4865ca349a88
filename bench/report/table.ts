import { alignColumns } from "../../examples/shared/align-columns.js";
import type { ComparisonResult } from "../measure/compare.js";
import type { Measure, StackResult } from "../measure/summarise.js";

const HEADS = ["cpu us", "added", "ratio", "quartiles", "itself", "wall us", "ratio", "itself"];
const HEAP_HEADS = ["heap B", "added", "ratio", "itself"];

/** One comparison as text: per call or message, ratios to the first row, and each stack against itself. */
export function table(result: ComparisonResult): string {
  const { title, inFlight, rounds, callsPerSlice, messagesPerCall, stacks } = result;
  const [reference] = stacks;
  if (reference === undefined) return `${title}: none of the stacks runs here`;
  const rows = stacks.map((stack) => [stack.name, ...cells(stack, reference)]);
  const unit =
    messagesPerCall === 1 ? "calls" : `streams of ${messagesPerCall.toLocaleString("en")} messages`;
  const per = messagesPerCall === 1 ? "" : ", per message";
  const numbers = `${rounds} rounds of ${callsPerSlice.toLocaleString("en")} ${unit}, each twice per round`;
  return [
    `${title}, ${inFlight} in flight${per} (${numbers})`,
    alignColumns([["", ...HEADS, ...HEAP_HEADS], ...rows]),
  ].join("\n");
}

function cells({ cpuMicros, wallMicros, heapBytes }: StackResult, reference: StackResult): string[] {
  return [
    cpuMicros.perCall.toFixed(2),
    signed(cpuMicros.perCall - reference.cpuMicros.perCall, 2),
    cpuMicros.ratio.median.toFixed(2),
    `${cpuMicros.ratio.low.toFixed(2)}-${cpuMicros.ratio.high.toFixed(2)}`,
    cpuMicros.itself.toFixed(2),
    wallMicros.perCall.toFixed(2),
    ...ratioAndItself(wallMicros),
    heapBytes.perCall.toFixed(0),
    signed(heapBytes.perCall - reference.heapBytes.perCall, 0),
    ...ratioAndItself(heapBytes),
  ];
}

function ratioAndItself({ ratio, itself }: Measure): string[] {
  return [ratio.median.toFixed(2), itself.toFixed(2)];
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? "" : "+"}${value.toFixed(digits)}`;
}
